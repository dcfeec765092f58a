"""Talks to the guardian over its local socket. The wire format is guardian/control.py's."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from homeostat.errors import NotFound, Permanent, Unreachable

_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """One supervised process. Times are epoch seconds; None when unknown or never."""

    name: str
    workload: str
    state: str  # starting, running, backoff, exited, crash_looping, stopped
    pid: int
    exit_code: int | None
    restarts: int
    started_at: float | None
    rss_bytes: int
    cpu_seconds: float
    open_fds: int
    memory_limit_bytes: int | None
    stopped_by_request: bool
    crash_looping: bool
    last_check_ok: bool | None

    @property
    def is_running(self) -> bool:
        return self.state == "running"


_FIELDS = tuple(field.name for field in fields(ProcessStatus))


def kept_session(socket: Path) -> aiohttp.ClientSession:
    """For one who asks every few seconds: the connection is kept. To be closed by the caller."""
    return aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket), limit=2, keepalive_timeout=60))


class GuardianClient:
    """One request per call; without a ``session`` of the caller's (:func:`kept_session`) a connection each."""

    def __init__(self, socket: Path, session: aiohttp.ClientSession | None = None) -> None:
        self.socket = socket
        self._session = session

    async def processes(self) -> list[ProcessStatus]:
        """All supervised processes. Raises Unreachable when no guardian answers."""
        return self._read(await self._request("GET", "/processes", _TIMEOUT_S))

    def _read(self, rows: Any) -> list[ProcessStatus]:
        try:
            # A newer guardian may say more.
            return [ProcessStatus(**{name: row[name] for name in _FIELDS}) for row in rows]
        except (KeyError, TypeError) as err:
            raise Unreachable(f"what answers at {self.socket} is no guardian of this version: {err!r}") from err

    async def process(self, name: str) -> ProcessStatus:
        """One of them. Raises NotFound when there is none of this name, and as :meth:`processes`."""
        rows = await self._request("GET", f"/processes?name={quote(name)}", _TIMEOUT_S)
        for status in self._read(rows):
            if status.name == name:  # a guardian of an older version gives them all
                return status
        raise NotFound(f"the guardian has no process {name}")

    async def restart(self, name: str, grace_s: float | None, timeout_s: float) -> None:
        """End the process's tree and start it again; returns when the new one is started."""
        body = {} if grace_s is None else {"grace": grace_s}
        await self._request("POST", f"/processes/{name}/restart", timeout_s, body)

    async def shutdown(self, timeout_s: float) -> None:
        """End all processes and the guardian itself."""
        await self._request("POST", "/shutdown", timeout_s)

    async def _request(
        self, method: str, path: str, timeout_s: float, body: Mapping[str, object] | None = None
    ) -> Any:  # JSON, typed by the callers
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._connected() as session,
                session.request(method, f"http://guardian{path}", json=body) as response,
            ):
                answer = await response.json()
        except TimeoutError:
            raise Unreachable(f"the guardian did not answer within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as err:
            raise Unreachable(f"no guardian answers at {self.socket}: {err}") from err
        if response.status == 404:  # noqa: PLR2004 - HTTP
            raise NotFound(str(answer.get("error", path)))
        if response.status >= 400:  # noqa: PLR2004 - HTTP
            raise Permanent(f"the guardian refused {path}: {answer.get('error', response.status)}")
        return answer

    def _connected(self) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientSession]:
        if self._session is not None:
            return contextlib.nullcontext(self._session)
        return aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.socket)))
