"""Server-sent events: a line whenever the page may look different. What has changed is fetched, not sent."""

import asyncio
import contextlib

from aiohttp import web

from responder.ledger import StoreError
from responder.pages.board import BOARD, Board
from responder.pages.doors import HEADERS

_MOST_LISTENERS = 16
#: So often it is looked for changes, and told of them at most.
_EVERY_S = 0.5
#: Proxies and browsers take a silent connection for a dead one.
_HEARTBEAT_S = 15.0
#: For a few bytes to leave. Who does not read them is not looking.
_WRITE_S = 5.0
#: Browsers come back after so long, when the responder was restarted.
_RETRY_MS = 2000


class Listeners:
    """Those who listen now. No work is done while there are none."""

    def __init__(self) -> None:
        self._count = 0
        self._is_over = asyncio.Event()

    async def close(self, _app: web.Application) -> None:
        """Let all of them go, so that nobody holds up the end of the server."""
        self._is_over.set()

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """Until either side ends. Raises HTTPServiceUnavailable when there are too many."""
        if self._count >= _MOST_LISTENERS or self._is_over.is_set():
            raise web.HTTPServiceUnavailable(text="Too many pages are open; this one has to be reloaded by hand.")
        self._count += 1
        try:
            response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._tell(request, response)
            return response
        finally:
            self._count -= 1

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        board, clock = request.app[BOARD], request.app[BOARD].parts.clock
        await response.prepare(request)
        await _write(response, f"retry: {_RETRY_MS}\n\n")
        told, told_at = "", clock.monotonic()
        while request.transport is not None and not request.transport.is_closing():
            version = await _version(board, told)
            if version != told:
                await _write(response, f"data: {version}\n\n")
                told, told_at = version, clock.monotonic()
            elif clock.monotonic() - told_at >= _HEARTBEAT_S:
                await _write(response, ": still here\n\n")
                told_at = clock.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._is_over.wait()
            if self._is_over.is_set():
                return


async def _version(board: Board, told: str) -> str:
    """While the ledger cannot be read, nothing is new."""
    try:
        return await board.version()
    except StoreError:
        return told


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_WRITE_S):
        await response.write(text.encode())


LISTENERS = web.AppKey("listeners", Listeners)
