"""Whether people are reached: an alert that goes the way of an escalation, and what Alertmanager then tells of it.

It has gone out when Alertmanager counts a request to one of the alert's receivers that did not fail. Whether a person
has read it, no machine can tell.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import Counter

from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient, PostedAlert
from homeostat.clock import Clock, parse_rfc3339, rfc3339
from homeostat.errors import HomeostatError, Unreachable
from homeostat.files import remove_stale, write_atomic
from responder.notification_source import Held, NotificationSource
from responder.notifications import OURS, Reading, Watch

log = structlog.get_logger()

#: Routed as HomeostatEscalation is, and like it nothing to repair.
ALERT = names.ALERT_ESCALATION_TEST
FILE = "escalation-test"
DEFAULT_WAIT_S = 60
LONGEST_WAIT_S = 240

_POLL_S = 0.5
_QUIET_WITHIN_S = 5.0
#: For the other integrations, once one has arrived.
_OTHERS_S = 10.0
#: The alert ends by itself so long after the test, should the responder not be there to end it.
_SPARE_S = 30.0


class Verdict(StrEnum):
    """What a test ended in."""

    REACHED = "reached"
    FAILED = "failed"
    NOBODY = "nobody"
    MUTED = "muted"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``reached`` and ``failed`` name integrations, e.g. email; ``failed`` with Alertmanager's reason. ``at``: epoch
    seconds. ``notes``: what else people should know.
    """

    verdict: Verdict
    at: float
    receivers: tuple[str, ...]
    reached: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test needs. ``deliveries``: requests that our own webhook has answered; ``succeeded``: is told when;
    ``running``: one test at a time.
    """

    alertmanager_url: str
    session: aiohttp.ClientSession
    clock: Clock
    state_dir: Path
    deliveries: Callable[[], float]
    succeeded: Callable[[float], None]
    running: asyncio.Lock = field(default_factory=asyncio.Lock)


def last_success(state_dir: Path) -> float:
    """When people were last seen to be reached, epoch seconds; 0 for never. Blocks."""
    try:
        return parse_rfc3339((state_dir / FILE).read_text().strip()) or 0.0
    except (OSError, ValueError):
        return 0.0


def total(counter: Counter) -> float:
    """Over all labels."""
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


async def run_test(around: Surroundings, wait_s: float) -> Outcome:
    """Call people, and watch for at most ``wait_s`` whether the call goes out. Raises Unreachable or Permanent when
    Alertmanager does not answer, or not as one.
    """
    client = AlertmanagerClient(around.alertmanager_url, around.session)
    source = NotificationSource(around.alertmanager_url, around.session, around.deliveries)
    known = await source.integrations()
    first = await _quiet_reading(source, around.clock)
    alert = _alert(around.clock.now(), wait_s)
    await client.post([alert])
    held = await source.held(alert)
    expected = frozenset[str]().union(*(known.get(name, frozenset()) for name in held.receivers))
    if held.muted_by or not expected:
        verdict = Verdict.MUTED if held.muted_by else Verdict.NOBODY
        outcome = Outcome(verdict, around.clock.now(), held.receivers, notes=held.muted_by)
    else:
        watch = Watch(held.receivers, expected, first)
        last = await _look_until_settled(source, watch, around.clock, wait_s)
        outcome = _judged(watch, last, await source.held(alert), around.clock.now(), known)
    with contextlib.suppress(HomeostatError):  # it ends by itself, a little later
        await client.post([replace(alert, ends_at=around.clock.now())])
    return await _remembered(around, outcome) if outcome.verdict is Verdict.REACHED else outcome


def _alert(now: float, wait_s: float) -> PostedAlert:
    """As severe as an escalation, as people route by that; ``test`` makes each one a new alert."""
    labels = {"alertname": ALERT, names.SEVERITY: "critical", "test": rfc3339(now)}
    annotations = {
        "summary": "This is a test: homeostat can reach you.",
        "description": "Nothing is wrong, and nothing is to be done. `homeostat escalate --test` was run at "
        f"{rfc3339(now)}; what homeostat cannot repair will arrive in this way.",
    }
    return PostedAlert(labels, annotations, now, now + wait_s + _SPARE_S)


async def _quiet_reading(source: NotificationSource, clock: Clock) -> Reading:
    """What is counted from. In a storm of deliveries to ourselves it may hide what people get, never invent it."""
    end = clock.monotonic() + _QUIET_WITHIN_S
    while True:
        await clock.sleep(_POLL_S)
        reading = await source.reading()
        if reading.is_quiet or clock.monotonic() >= end:
            return reading


async def _look_until_settled(source: NotificationSource, watch: Watch, clock: Clock, wait_s: float) -> Reading:
    end = clock.monotonic() + wait_s
    is_reached = False
    while True:
        await clock.sleep(_POLL_S)
        now = await source.reading()
        watch.look(now)
        if watch.reached and not is_reached:
            is_reached, end = True, min(end, clock.monotonic() + _OTHERS_S)
        if watch.is_settled or clock.monotonic() >= end:
            return now


def _judged(watch: Watch, last: Reading, held: Held, now: float, known: Mapping[str, frozenset[str]]) -> Outcome:
    trying = {name: f"{count} requests failed, still trying" for name, count in watch.still_trying(last).items()}
    failed = {**trying, **watch.failed}
    if watch.reached:
        verdict = Verdict.REACHED
    elif failed:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.MUTED if held.muted_by else Verdict.NOT_SEEN
    return Outcome(
        verdict=verdict,
        at=now,
        receivers=held.receivers,
        reached=tuple(sorted(watch.reached)),
        failed={name: failed[name] for name in sorted(failed)},
        unseen=tuple(sorted(set(watch.expected) - watch.reached - failed.keys())),
        notes=(*held.muted_by, *_confusable(watch, known)),
    )


def _confusable(watch: Watch, known: Mapping[str, frozenset[str]]) -> list[str]:
    """Other receivers by which may have been sent what was seen, where Alertmanager does not tell them apart."""
    if watch.first.tells_receivers:
        return []
    others = {name: by & watch.reached for name, by in known.items() if name not in (*watch.receivers, OURS)}
    return [
        f"it may have been receiver {name}, which sends by {', '.join(sorted(by))}, too"
        for name, by in sorted(others.items())
        if by
    ]


async def _remembered(around: Surroundings, outcome: Outcome) -> Outcome:
    around.succeeded(outcome.at)
    try:
        await asyncio.to_thread(_write, around.state_dir / FILE, outcome.at)
    except OSError as err:
        log.error("escalation_test.unwritten", error=str(err))  # noqa: TRY400 - says it all
        note = f"the time of this test cannot be kept over a restart: {err.strerror}"
        return replace(outcome, notes=(*outcome.notes, note))
    return outcome


def _write(path: Path, at: float) -> None:
    remove_stale(path)
    write_atomic(path, f"{rfc3339(at)}\n".encode(), mode=0o644)


async def answer(request: web.Request, around: Surroundings) -> web.Response:
    """``POST /api/v1/escalation-test?wait=SECONDS``: 200 with the outcome; 409 while another one runs."""
    wait = request.query.get("wait", str(DEFAULT_WAIT_S))
    if not re.fullmatch("[0-9]{1,3}", wait) or not 1 <= int(wait) <= LONGEST_WAIT_S:
        return web.json_response({"error": f"wait: must be a number of seconds from 1 to {LONGEST_WAIT_S}"}, status=400)
    if around.running.locked():
        return web.json_response({"error": "a test is under way; wait for its end"}, status=409)
    async with around.running:
        try:
            outcome = await run_test(around, int(wait))
        except HomeostatError as err:
            return web.json_response({"error": str(err)}, status=503 if isinstance(err, Unreachable) else 502)
    log.info("escalation_test.ended", verdict=outcome.verdict.value, reached=outcome.reached, failed=outcome.failed)
    return web.json_response(asdict(outcome) | {"at": rfc3339(outcome.at)})
