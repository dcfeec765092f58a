"""What operators say: yes or no to a step that waits for it, hands off. Needs the bearer token."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from aiohttp import web

from homeostat.quantities import at_least, at_most
from homeostat.sections import WorkloadPattern
from homeostat.structure import Checked
from responder.answering import NotAsked, Word, give_word
from responder.bodies import body_of
from responder.ledger import Hold, NoEpisode
from responder.parts import PARTS, require_token

log = structlog.get_logger()

#: A hold until released has no time at all; a century is far enough from the end of every calendar.
_LONGEST_S = 100 * 365 * 86400.0


def _is_name(text: str) -> None:
    if not 0 < len(text) <= 120 or not text.isprintable():  # noqa: PLR2004 - said below
        raise ValueError("must be a name of at most 120 characters")


def _is_reason(text: str) -> None:
    if len(text) > 1000 or not text.isprintable():  # noqa: PLR2004 - said below
        raise ValueError("must be one line of at most 1000 characters")


# Shown on terminals and in alerts: nothing that turns or hides other text.
Person = Annotated[str, Checked(_is_name)]
Reason = Annotated[str, Checked(_is_reason)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """Of a person about one recovery."""

    by: Person
    reason: Reason = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HoldRequest:
    pattern: WorkloadPattern
    by: Person
    reason: Reason = ""
    #: From now; until released when left out.
    seconds: Annotated[float, at_least(1), at_most(_LONGEST_S)] | None = None


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/recoveries/{id:[0-9]{1,18}}/{word:approve|reject}", _answer),
        web.post("/api/v1/holds", _hold),
        web.delete("/api/v1/holds", _release),
    ]


async def _answer(request: web.Request) -> web.Response:
    require_token(request)
    parts = request.app[PARTS]
    said = await body_of(request, _Word)
    number, is_yes = int(request.match_info["id"]), request.match_info["word"] == "approve"
    try:
        kind = await give_word(parts, number, Word(is_yes, said.by, said.reason))
    except NoEpisode:
        return web.json_response({"error": f"no recovery {number}"}, status=404)
    except NotAsked as err:
        return web.json_response({"error": str(err)}, status=409)
    return web.json_response({"recovery": number, "word": kind.value})


async def _hold(request: web.Request) -> web.Response:
    require_token(request)
    parts = request.app[PARTS]
    asked, now = await body_of(request, _HoldRequest), parts.clock.now()
    until = None if asked.seconds is None else now + asked.seconds
    await parts.store.put_hold(Hold(asked.pattern, asked.reason, asked.by, now, until))
    log.info("hold.put", pattern=asked.pattern, by=asked.by, until=until)
    return web.json_response({"pattern": asked.pattern, "until": until})


async def _release(request: web.Request) -> web.Response:
    require_token(request)
    parts = request.app[PARTS]
    pattern = request.query.get("pattern", "")
    if not await parts.store.drop_hold(pattern):
        return web.json_response({"error": f"no hold on {pattern!r:.200}"}, status=404)
    log.info("hold.released", pattern=pattern)
    for workload in await parts.store.unfinished_workloads():
        parts.intake.wake(workload)
    return web.json_response({"released": pattern})
