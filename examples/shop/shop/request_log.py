"""One JSON line per request: what users got and when, the record that availability is counted from."""

import json
import sys
import time
from pathlib import Path
from typing import TextIO

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


def open_request_log(path: Path | None) -> TextIO:
    """Line-buffered append, so that a killed process loses no finished request. None is stdout."""
    if path is None:
        return open(sys.stdout.fileno(), "a", buffering=1, encoding="utf-8", closefd=False)
    return path.open("a", buffering=1, encoding="utf-8")


def log_requests(log: TextIO) -> Middleware:
    """Must be the outermost middleware. ``ts`` is the end of the request, seconds since the epoch."""

    @web.middleware
    async def write_line(request: web.Request, handler: Handler) -> web.StreamResponse:
        start = time.monotonic()
        status = 500  # what aiohttp answers to an exception nobody caught
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as err:
            status = err.status
            raise
        finally:
            line = {
                "ts": round(time.time(), 3),
                "method": request.method,
                "path": request.path,
                "status": status,
                "ms": round((time.monotonic() - start) * 1000, 1),
            }
            log.write(json.dumps(line) + "\n")
        return response

    return write_line
