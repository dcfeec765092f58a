"""The PromQL probe against a real Prometheus."""

import socket
import subprocess

import aiohttp
import pytest
from fakes.databases import wait_until_open

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, run_probe
from homeostat.workloads import ProbeSpec, PromqlOptions

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def prometheus(servers, tmp_path_factory):
    """Its URL."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("global: {}\n")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*sock.getsockname())
    options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([servers["prometheus"], *options], cwd=folder, stdout=log, stderr=log)
    wait_until_open(int(address.rpartition(":")[2]), process)
    yield f"http://{address}"
    process.terminate()
    process.wait(timeout=10)


@pytest.mark.parametrize(
    ("expression", "ok", "reason"),
    [
        ("vector(1)", True, ""),
        ("vector(1) or label_replace(vector(2), 'a', 'b', '', '')", True, ""),
        ("vector(0)", False, "a sample is 0"),
        ("vector(0) / 0", False, "a sample is NaN"),
        ("up", False, "no sample"),
        ("sum(", False, "Prometheus refuses the query"),
        ("'text'", False, "Prometheus refuses the query"),
    ],
)
async def test_the_expression_decides(prometheus, expression, ok, reason):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        context = ProbeContext(session, SystemClock())
        spec = ProbeSpec("promql", expression, 1.0, 2.0, options=PromqlOptions(prometheus))
        result = await run_probe(spec, context)
        while result.reason == "Prometheus does not answer":  # it is not ready yet
            result = await run_probe(spec, context)

    assert (result.ok, result.reason) == (ok, reason)
