"""GET /offer: what is sold how, from a file of ``NAME='value'`` lines that is read anew by each request."""

import re
from pathlib import Path

from aiohttp import web

OFFER_FILE = web.AppKey("offer_file", Path)

_LINE = re.compile(r"([A-Z_]+)=(?:'([^']*)'|(\S*))")


class OfferError(Exception):
    """The file is not what this shop can read."""


def read_offer(path: Path) -> dict[str, str]:
    """As strict as most applications: one bad line, and nothing of it is used. Raises OfferError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise OfferError(f"{path}: {err}") from err
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise OfferError(f"{path}:{number}: not NAME=value")
        found[match[1]] = match[2] if match[2] is not None else match[3]
    if not found:
        raise OfferError(f"{path}: no offer")
    return found


async def show_offer(request: web.Request) -> web.Response:
    """200, or 500 as long as the file is broken."""
    try:
        return web.json_response(read_offer(request.app[OFFER_FILE]))
    except OfferError as err:
        return web.json_response({"error": str(err)}, status=500)
