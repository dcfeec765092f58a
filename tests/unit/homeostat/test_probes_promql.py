"""PromQL checks, against an API of a few lines that speaks as Prometheus does; the real one is in tests/integration."""

import json

import aiohttp
import pytest
from fakes.listeners import listener

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, run_probe
from homeostat.workloads import ProbeSpec, PromqlOptions

EXPRESSION = 'up{job="secret-job"}'


@pytest.fixture
async def context():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield ProbeContext(session, SystemClock())


def vector(*values):
    rows = [{"metric": {}, "value": [1_800_000_000, value]} for value in values]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": rows}}


def saying(status, body):
    text = b"Service Unavailable" if body is None else json.dumps(body).encode()
    kind = "text/plain" if body is None else "application/json"

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n"
        writer.write(head.encode() + text)

    return serve


@pytest.mark.parametrize(
    ("answer", "ok", "reason"),
    [
        (vector("1"), True, ""),
        (vector("0.5", "-3", "+Inf"), True, ""),
        (vector("1", "0"), False, "a sample is 0"),
        (vector("NaN", "1"), False, "a sample is NaN"),
        (vector(), False, "no sample"),
        (
            (400, {"status": "error", "errorType": "bad_data", "error": f"parse error in {EXPRESSION}"}),
            False,
            "Prometheus refuses the query",
        ),
        (
            (200, {"status": "success", "data": {"resultType": "matrix", "result": []}}),
            False,
            "Prometheus refuses the query",
        ),
        ((503, None), None, "Prometheus does not answer"),  # as it says while it starts
    ],
)
async def test_a_check_says_what_prometheus_found(context, answer, ok, reason):
    async with listener(saying(*answer)) as address:
        spec = ProbeSpec("promql", EXPRESSION, 1.0, 1.0, options=PromqlOptions(f"http://{address}"))
        result = await run_probe(spec, context)

    assert (result.ok, result.reason) == (ok, reason)
