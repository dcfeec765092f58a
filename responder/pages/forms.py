"""POST of the page's one form: approve or reject. The token is asked for each time.

No session and no cookie: browsers send a host's cookies to every port of it, so that whatever else listens on loopback
could take one. What nobody keeps nobody can steal.
"""

import hmac
import math
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from homeostat.clock import Clock
from homeostat.explain import Invalid, dotted
from homeostat.quantities import matching
from homeostat.structure import received
from responder.answering import NotAsked, Word, give_word
from responder.operate import Person, Reason
from responder.pages.board import BOARD
from responder.pages.doors import is_own_form
from responder.parts import PARTS
from responder.webhook import is_authorised, read_body

log = structlog.get_logger()

_MOST_BYTES = 16 * 1024
_MOST_FIELDS = 10
_UNDONE = "Nothing was approved or rejected. "
_LineNumber = Annotated[str, matching("[0-9]{1,18}", "must be a number")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """As the browser sends it. ``question`` and ``seal`` say which question was on the page."""

    by: Person
    reason: Reason = ""
    token: str
    question: _LineNumber
    seal: str
    word: Literal["approve", "reject"]


class WrongTokens:
    """Counts them: guessing is hopeless, and should look so. The API and the command line stay open meanwhile."""

    MOST = 10
    WITHIN_S = 60.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at: deque[float] = deque(maxlen=self.MOST)

    def note(self) -> None:
        self._at.append(self._clock.monotonic())

    def wait_s(self) -> int:
        """Until the next try is allowed; 0 for now."""
        if len(self._at) < self.MOST:
            return 0
        return max(0, math.ceil(self._at[0] + self.WITHIN_S - self._clock.monotonic()))


WRONG_TOKENS = web.AppKey("wrong_tokens", WrongTokens)


async def answer(request: web.Request) -> web.StreamResponse:
    """303 to the page when it is written down. Raises HTTPException in words, and then nothing is."""
    if not is_own_form(request):
        raise web.HTTPForbidden(text=f"{_UNDONE}The form was not sent by this page.")
    if wait_s := request.app[WRONG_TOKENS].wait_s():
        words = f"{_UNDONE}Too many wrong tokens; try again in {wait_s} s, or use `homeostat approve`."
        raise web.HTTPTooManyRequests(text=words, headers={"Retry-After": str(wait_s)})
    number, form = int(request.match_info["id"]), await _read(request)
    _check(request, number, form)
    word = Word(form.word == "approve", form.by, form.reason, int(form.question))
    try:
        await give_word(request.app[PARTS], number, word)
    except NotAsked as err:
        raise web.HTTPConflict(text=f"{_UNDONE}It is too late, or somebody was faster: {err}.") from err
    request.app[BOARD].forget()
    return web.Response(status=303, headers={"Location": f"/#recovery-{number}"})


async def _read(request: web.Request) -> _Form:
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text=f"{_UNDONE}Not a form.")
    try:
        pairs = parse_qsl((await read_body(request, _MOST_BYTES)).decode(), max_num_fields=_MOST_FIELDS)
        return received(_Form, {name: value.strip() for name, value in pairs})
    except Invalid as err:
        problems = "; ".join(f"{dotted(problem.path)}: {problem.words}" for problem in err.problems)
    except ValueError:  # no UTF-8, or too many fields
        problems = "not a form of this page"
    raise web.HTTPBadRequest(text=f"{_UNDONE}{problems}")


def _check(request: web.Request, number: int, form: _Form) -> None:
    """That the form is one that we made for this question, and that who sends it has the token."""
    seal = request.app[BOARD].seal(number, int(form.question))
    if not hmac.compare_digest(seal.encode(), form.seal.encode()):
        raise web.HTTPForbidden(text=f"{_UNDONE}The page was out of date. Go back to it, reload it and try again.")
    if not is_authorised(f"Bearer {form.token}", request.app[PARTS].live.tokens):
        request.app[WRONG_TOKENS].note()
        log.warning("approval.wrong_token", recovery=number)
        raise web.HTTPForbidden(text=f"{_UNDONE}That is not the token. Go back and try again.")
