"""A process under measurement, and the scrapes that it is measured with."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.report import percentile

#: As Prometheus 3 asks; node_exporter and homeostat's exporter choose the same format and coding from it.
_HEADERS = {
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}
_READY_S = 60.0


@dataclass(slots=True)
class Cost:
    """Over some scrapes: CPU seconds of the whole process, seconds per scrape, samples of the last page."""

    cpu_s: float
    latencies_s: list[float]
    samples: int

    @property
    def cpu_per_scrape_s(self) -> float:
        return self.cpu_s / len(self.latencies_s)

    @property
    def p99_s(self) -> float:
        return percentile(self.latencies_s, 0.99)


@dataclass(slots=True)
class Subject:
    """One running exporter."""

    pid: int
    url: str
    session: aiohttp.ClientSession
    query: Sequence[str] = field(default_factory=tuple)

    def cpu_s(self) -> float:
        """Of all its threads, to the nanosecond (clock_getcpuclockid(3): how a process's clock id is made)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def rss_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def page(self) -> str:
        params = [("collect[]", name) for name in self.query]
        async with self.session.get(self.url, headers=_HEADERS, params=params) as response:
            response.raise_for_status()
            return (await response.read()).decode()

    async def scrape(self, times: int, every_s: float = 0.0) -> Cost:
        """``times`` scrapes, at least ``every_s`` apart."""
        latencies = []
        page = ""
        before = self.cpu_s()
        for _ in range(times):
            start = time.perf_counter()
            page = await self.page()
            latencies.append(time.perf_counter() - start)
            await asyncio.sleep(max(every_s - latencies[-1], 0))
        return Cost(self.cpu_s() - before, latencies, samples(page))


def samples(page: str) -> int:
    """How many samples stand on a page."""
    return sum(1 for line in page.splitlines() if line and not line.startswith("#"))


@contextlib.asynccontextmanager
async def started(
    argv: Sequence[str], url: str, session: aiohttp.ClientSession, query: Sequence[str] = ()
) -> AsyncIterator[Subject]:
    """Run it until the block ends. Raises RuntimeError when it does not answer in a minute."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=environment | {"MALLOC_ARENA_MAX": "2"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    subject = Subject(process.pid, url, session, query)
    try:
        await _ready(subject)
        yield subject
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _ready(subject: Subject) -> None:
    deadline = time.perf_counter() + _READY_S
    while time.perf_counter() < deadline:
        with contextlib.suppress(aiohttp.ClientError):
            await subject.page()
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{subject.url} did not answer within {_READY_S:g} s")
