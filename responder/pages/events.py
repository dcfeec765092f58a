"""Server-sent events: the page's version, when it changes and now and then. What has changed is fetched, not sent."""

import asyncio
import contextlib

from aiohttp import web

from responder.ledger import StoreError
from responder.pages.board import BOARD, Board
from responder.pages.doors import HEADERS

_MOST_LISTENERS = 16
#: So often it is looked for changes, and told of them at most.
_EVERY_S = 0.5
#: Told again, so that a page knows that it is told: a connection that is silent may be a dead one.
_HEARTBEAT_S = 15.0
_UNREADABLE = "unreadable"
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
            version = await _version(board)
            if version != told or clock.monotonic() - told_at >= _HEARTBEAT_S:
                await _write(response, f"data: {version}\n\n")
                told, told_at = version, clock.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._is_over.wait()
            if self._is_over.is_set():
                return


async def _version(board: Board) -> str:
    """That the ledger cannot be read is a change, too: who then fetches the page is told."""
    try:
        return await board.version()
    except StoreError:
        return _UNREADABLE


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(_WRITE_S):
        await response.write(text.encode())


LISTENERS = web.AppKey("listeners", Listeners)
