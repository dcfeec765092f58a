"""Who may see the page and say something through it (docs/security.md), and the headers of all its answers.

A browser is asked to act by every page that it shows, so that "it comes from this host" says nothing: names that lead
here are checked against DNS rebinding, forms by their origin and by a token of their own against forgery.
"""

import functools
import ipaddress
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from homeostat.quantities import host_port
from responder.ledger import StoreError
from responder.pages.board import BOARD
from responder.pages.rendering import RENDERER

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not no-referrer: with it, browsers hide the origin of our own forms from us. Others learn as little.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: Of a refusal's own headers.
_KEPT = ("Retry-After",)
#: A name or an address, with or without a port.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarded(handler: _Handler) -> _Handler:
    """For known names of this host only; refusals are pages, too; every answer has the headers."""

    @functools.wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        listen = request.app[BOARD].parts.live.settings.responder.listen
        try:
            if not is_known_host(request.headers.get("Host", ""), listen):
                raise web.HTTPMisdirectedRequest(text=_UNKNOWN_HOST)
            response = await handler(request)
        except web.HTTPException as refusal:
            response = await _as_page(request, refusal)
        except StoreError as err:
            response = await _as_page(request, web.HTTPServiceUnavailable(text=f"The ledger cannot be read now: {err}"))
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return answer


_UNKNOWN_HOST = (
    "This page is served under the address that the responder listens on, under localhost, and under numeric "
    "addresses; not under other names."
)


def is_known_host(host: str, listen: str) -> bool:
    """Whether a Host header can only come from somebody who means us. A numeric address does: rebinding needs a name
    that somebody else has in the DNS.
    """
    name = _name(host)
    if name is None:
        return False
    return name == "localhost" or name == host_port(listen)[0].lower() or _is_numeric(name)


def is_own_form(request: web.Request) -> bool:
    """Whether a POST comes from a page of ours: browsers say which one it comes from, and pages cannot change that."""
    origin = request.headers.get("Origin", "")
    return origin == f"{request.scheme}://{request.headers.get('Host', '')}" != "://"


def _name(host: str) -> str | None:
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower() if found else None


def _is_numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def _as_page(request: web.Request, refusal: web.HTTPException) -> web.Response:
    text = await request.app[RENDERER].page("message.html", title=refusal.reason, text=refusal.text)
    headers = {name: value for name, value in refusal.headers.items() if name in _KEPT}
    return web.Response(text=text, status=refusal.status, content_type="text/html", headers=headers)
