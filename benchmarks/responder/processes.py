"""Processes of a benchmark: on chosen cores, ended with it, and how much memory one of them takes."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

_READY_S = 60.0
_END_S = 30.0
_LOOK_S = 0.01
_KB = 1024


def kept_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now, and that no outgoing connection is given while a server is restarted:
    below Linux's ephemeral ones.
    """
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


@dataclass(frozen=True, slots=True)
class Cores:
    """The last core is the subject's alone, where there are several."""

    subject: frozenset[int]
    others: frozenset[int]

    @classmethod
    def split(cls) -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        return cls(frozenset(cores[-1:]), frozenset(cores[:-1] or cores))


@contextlib.contextmanager
def pinned(cores: frozenset[int]) -> Iterator[None]:
    """This thread, and what it starts meanwhile, runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(slots=True)
class Program:
    """Started and ended any number of times. Its output goes to ``log``. ``ready_at``: a URL that gives 200, or
    ``HOST:PORT`` that accepts connections, once it is ready. ``cores`` None: wherever the system puts it.
    """

    argv: Sequence[str]
    log: Path
    ready_at: str
    cores: frozenset[int] | None = None
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def launch(self) -> None:
        """Without waiting for it."""
        # As it runs in production: with compiled bytecode and few arenas (docker-compose.yml, guardian/stack.py).
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with self.log.open("ab") as log, pinned(self.cores or frozenset(os.sched_getaffinity(0))):
            self.process = await asyncio.create_subprocess_exec(
                *self.argv, stdout=log, stderr=log, env=environment | {"MALLOC_ARENA_MAX": "2"}
            )

    async def ready(self, session: aiohttp.ClientSession) -> None:
        """Raises RuntimeError when it ends, or does not answer in a minute."""
        deadline = time.perf_counter() + _READY_S
        while time.perf_counter() < deadline:
            if self.process is None or self.process.returncode is not None:
                raise RuntimeError(f"{self.argv} has ended: {self.log.read_text()[-2000:]}")
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    if await _answers(self.ready_at, session):
                        return
            await asyncio.sleep(_LOOK_S)
        raise RuntimeError(f"{self.ready_at} was not ready within {_READY_S:g} s: {self.log.read_text()[-2000:]}")

    async def kill(self) -> None:
        """SIGKILL: no farewell."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL when that is not heard."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_S):
                await self.process.wait()
        except TimeoutError:
            await self.kill()
            raise RuntimeError(f"{self.argv} did not end within {_END_S:g} s of SIGTERM") from None

    def memory(self) -> tuple[float, float]:
        """Resident bytes: now, and the most that it ever had."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        return int(status["VmRSS"].split()[0]) * _KB, int(status["VmHWM"].split()[0]) * _KB

    def cpu_s(self) -> float:
        """Of all its threads (clock_getcpuclockid(3): how a process's clock id is made)."""
        assert self.process is not None
        return time.clock_gettime((~self.process.pid << 3) | 2)


@contextlib.asynccontextmanager
async def running(program: Program, session: aiohttp.ClientSession) -> AsyncIterator[Program]:
    """Started and ready; ended with the block."""
    await program.launch()
    try:
        await program.ready(session)
        yield program
    finally:
        await program.end()


async def _answers(place: str, session: aiohttp.ClientSession) -> bool:
    if "://" in place:
        async with session.get(place) as response:
            return response.status == 200
    host, _, port = place.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    return True
