"""What web handlers share: reading a JSON object, and answering errors as JSON."""

import json
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from shop.stores import STORE_ERRORS, describe


def bad_request(reason: str) -> web.HTTPBadRequest:
    """400, for the caller to raise."""
    return web.HTTPBadRequest(text=json.dumps({"error": reason}), content_type="application/json")


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body, {} without a body. Raises 400."""
    if not request.can_read_body:
        return {}
    try:
        body = await request.json()
    except ValueError as err:
        raise bad_request("body: not JSON") from err
    if not isinstance(body, dict):
        raise bad_request("body: must be a JSON object")
    return body


@web.middleware
async def answer_503(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A store that fails is not a bug of the shop: say which error, without a traceback."""
    try:
        return await handler(request)
    except STORE_ERRORS as err:
        return web.json_response({"error": describe(err)}, status=503)
