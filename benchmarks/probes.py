"""What a check costs this process, against a server in another one, beside aiohttp's client doing the same:
``python -m benchmarks.probes --json``. Back to back, and with pauses in between as in life, where caches are cold.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from rich.table import Table

from benchmarks.report import Bar, conclude
from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, open_probe
from homeostat.workloads import ProbeSpec

_ROUNDS = 9
_CHECKS = 150
_PAUSE_S = 0.02
#: Of what aiohttp's client costs: what the probe's own one is for. Waking up costs both the same.
_MOST_OF_AIOHTTP = 0.6
_MOST_OF_AIOHTTP_PAUSED = 0.75
_SERVER = """
import asyncio
from aiohttp import web

async def health(request):
    return web.Response(text="ok")

async def main():
    app = web.Application()
    app.add_routes([web.get("/health", health)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

Check = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Row:
    """Microseconds of CPU per check."""

    back_to_back: float
    paused: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    rows = asyncio.run(_measure())
    table = Table("check", "back to back, µs of CPU", f"every {_PAUSE_S * 1000:g} ms, less the pause")
    for name, row in rows.items():
        table.add_row(name, f"{row.back_to_back:.0f}", f"{row.paused:.0f}")
    ours, theirs = rows["http"], rows["aiohttp's client"]
    bars = {
        "http_of_aiohttp": Bar(ours.back_to_back / theirs.back_to_back, _MOST_OF_AIOHTTP),
        "http_of_aiohttp_paused": Bar(ours.paused / theirs.paused, _MOST_OF_AIOHTTP_PAUSED),
    }
    details = {"rounds": _ROUNDS, "checks": _CHECKS, "us": {n: [r.back_to_back, r.paused] for n, r in rows.items()}}
    conclude(table, bars, details, as_json=arguments.as_json)


async def _measure() -> dict[str, Row]:
    async with _server() as port, _session() as session:
        context = ProbeContext(session, SystemClock())
        url = f"http://127.0.0.1:{port}/health"
        http = open_probe(ProbeSpec("http", url, 1.0, 2.0), context)
        tcp = open_probe(ProbeSpec("tcp", f"127.0.0.1:{port}", 1.0, 2.0), context)

        async def by_aiohttp() -> None:
            async with asyncio.timeout(2), session.get(url, allow_redirects=False) as response:
                await response.content.read(4096)

        checks: dict[str, Check] = {"http": http.check, "aiohttp's client": by_aiohttp, "tcp": tcp.check}
        return await _interleaved(checks)


async def _interleaved(checks: dict[str, Check]) -> dict[str, Row]:
    async def nothing() -> None:
        pass

    tight: dict[str, list[float]] = {name: [] for name in checks}
    paused: dict[str, list[float]] = {name: [] for name in checks}
    for _ in range(_ROUNDS):
        pause_us = await _cpu_us(nothing, _PAUSE_S)
        for name, check in checks.items():
            tight[name].append(await _cpu_us(check, None))
            paused[name].append(await _cpu_us(check, _PAUSE_S) - pause_us)
    return {name: Row(statistics.median(tight[name]), statistics.median(paused[name])) for name in checks}


async def _cpu_us(check: Check, pause_s: float | None) -> float:
    start = time.process_time()
    for _ in range(_CHECKS):
        await check()
        if pause_s is not None:
            await asyncio.sleep(pause_s)
    return (time.process_time() - start) / _CHECKS * 1e6


@contextlib.asynccontextmanager
async def _server() -> AsyncIterator[int]:
    """The port of a server in a process of its own."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVER, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


def _session() -> aiohttp.ClientSession:
    """As a probe needs it: a new connection each time, nothing remembered."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


if __name__ == "__main__":
    main()
