"""A real Alertmanager as a process: started, killed, reloaded, silenced."""

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from tests.conformance.errors import KitError, Unreachable, WrongArgument

#: Beside a real one on 9093.
DEFAULT_PORT = 9893
_READY_WITHIN_S = 20.0
_FOR_EVER = "2999-01-01T00:00:00Z"
NO_CLUSTER = ("--cluster.listen-address=",)
#: How long a peer waits for the one before it; 15 s by default. Long enough for a receiver to call a trouble over.
PEER_TIMEOUT_S = 2.0


def pick_port() -> int:
    """A loopback port that nobody uses now, below those that outgoing connections take."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
            return port


def stamp(epoch_s: float) -> str:
    """RFC 3339, as Prometheus writes it."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Alertmanager:
    """One on ``port``. ``cluster``: arguments that make it a peer, or that leave it alone."""

    program: Path
    folder: Path
    port: int
    session: aiohttp.ClientSession
    cluster: Sequence[str]
    _process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self, text: str) -> None:
        """For the next start or reload."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "alertmanager.yml").write_text(text)

    async def start(self) -> None:
        """Until it is ready. Raises KitError."""
        self._refuse_taken_port()
        command = [
            str(self.program),
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--web.external-url={self.url}",
            *self.cluster,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        end = time.monotonic() + _READY_WITHIN_S
        while not await self._is_ready():
            if self._process.returncode is not None or time.monotonic() > end:
                raise KitError(f"Alertmanager does not get ready: {self._last_words()}")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL: no farewell, nothing saved."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    async def reload(self) -> None:
        """Take the configuration that was written. Raises KitError."""
        await self._ask("POST", "/-/reload")

    async def silence(self, workload: str) -> str:
        """Mute what names this workload, from now on; what ends it is :meth:`expire`."""
        body = {
            "matchers": [{"name": "workload", "value": workload, "isRegex": False, "isEqual": True}],
            "startsAt": stamp(time.time()),
            "endsAt": _FOR_EVER,
            "createdBy": "conformance kit",
            "comment": "maintenance",
        }
        answer = await self._ask("POST", "/api/v2/silences", body)
        return str(answer["silenceID"])

    async def expire(self, silence: str) -> None:
        await self._ask("DELETE", f"/api/v2/silence/{silence}")

    async def is_settled(self) -> bool:
        """Whether it has found its peers, or has none to look for."""
        answer = await self._ask("GET", "/api/v2/status")
        return answer["cluster"]["status"] in ("ready", "disabled")

    async def _ask(self, method: str, path: str, body: object = None) -> dict[str, dict[str, str]]:
        try:
            async with self.session.request(method, self.url + path, json=body) as response:
                text = await response.text()
                if response.status != 200:
                    raise KitError(f"Alertmanager refused {method} {path}: {response.status} {text[:300]}")
                return await response.json() if "json" in response.content_type else {}
        except aiohttp.ClientError as err:
            raise Unreachable(f"Alertmanager at {self.url} does not answer: {err}") from err

    async def _is_ready(self) -> bool:
        try:
            async with self.session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    def _refuse_taken_port(self) -> None:
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", self.port))
            except OSError as err:
                raise WrongArgument(
                    f"port {self.port} is in use ({err.strerror}): give another --alertmanager-port"
                ) from err

    def _last_words(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-500:].strip()


def peers(one: int, other: int) -> list[list[str]]:
    """The cluster arguments of two peers that listen for each other on these ports."""
    common = [
        f"--cluster.peer-timeout={PEER_TIMEOUT_S:g}s",
        "--cluster.gossip-interval=100ms",
        # They know each other within milliseconds here, and would wait to be sure.
        "--cluster.settle-timeout=2s",
    ]
    return [
        [f"--cluster.listen-address=127.0.0.1:{own}", f"--cluster.peer=127.0.0.1:{another}", *common]
        for own, another in ((one, other), (other, one))
    ]
