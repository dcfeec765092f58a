"""A request's body, checked against a model."""

import json
from typing import TypeVar

from aiohttp import web

from homeostat.explain import Invalid, dotted
from homeostat.structure import received
from responder.webhook import read_body

T = TypeVar("T")

_MOST_BYTES = 64 * 1024


async def body_of(request: web.Request, model: type[T]) -> T:
    """Raises HTTPException, in words."""
    try:
        return received(model, json.loads(await read_body(request, _MOST_BYTES)))
    except Invalid as err:
        problems = [f"{dotted(problem.path)}: {problem.words}" for problem in err.problems]
    except (ValueError, RecursionError):
        problems = ["not JSON"]
    raise web.HTTPBadRequest(text=json.dumps({"error": "; ".join(problems)}), content_type="application/json")
