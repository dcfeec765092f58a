"""Doing less for a while: on request, and never for longer than asked. Who asks has to ask again; silence ends it.

Degraded, the items are answered from the last copy in memory, whatever Redis and PostgreSQL do.
"""

import time
from dataclasses import dataclass

from aiohttp import web

from shop.answers import bad_request, read_object

#: Nobody can ask for more at once: a mistake in units must not last for days.
LONGEST_LEASE_S = 3600.0


@dataclass(slots=True)
class Degradation:
    """``until``: by the monotonic clock, so that no change of the time of day makes it longer. ``items``: the last copy
    that was served. ``answers``: how many were given from it.
    """

    until: float = 0.0
    items: str | None = None
    answers: int = 0

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self.until


DEGRADATION = web.AppKey("degradation", Degradation)


async def degrade(request: web.Request) -> web.Response:
    """POST ``{"lease_seconds": N}``: degraded for N seconds from now on, whatever was asked for before."""
    lease_s = (await read_object(request)).get("lease_seconds")
    if type(lease_s) not in (int, float) or not 0 < lease_s <= LONGEST_LEASE_S:
        raise bad_request(f"lease_seconds: must be a number above 0, at most {LONGEST_LEASE_S:g}")
    request.app[DEGRADATION].until = time.monotonic() + lease_s
    return web.json_response({"lease_seconds": lease_s})


async def recover(request: web.Request) -> web.Response:
    """DELETE: back to normal at once. Also when it is normal already."""
    degradation = request.app[DEGRADATION]
    was_on, degradation.until = degradation.is_on, 0.0
    return web.json_response({"was_degraded": was_on})


ROUTES = [web.post("/hooks/degrade", degrade), web.delete("/hooks/degrade", recover)]
