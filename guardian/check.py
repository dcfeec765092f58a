"""The liveness check: from outside, on a fresh connection each time, and at the same moments for all processes."""

from collections.abc import Callable

import structlog

from homeostat.clock import Clock
from homeostat.probes import Probe, ProbeContext, open_probe
from homeostat.processspec import CheckSpec
from homeostat.workloads import ProbeSpec

log = structlog.get_logger()

#: So that what waits for a start learns of it soon.
_EARLY_S = 0.5
#: A timer may fire a hair before its time: the next moment is then not the one that has just been.
_HAIR_S = 0.001


def to_probe(spec: CheckSpec) -> ProbeSpec:
    kind, target = ("http", spec.http) if spec.http is not None else ("tcp", spec.tcp)
    return ProbeSpec(kind, target or "", spec.interval, spec.timeout)


async def until_failing(
    spec: CheckSpec,
    context: ProbeContext,
    is_in_grace: Callable[[], bool],
    report: Callable[[bool], None],
) -> str:
    """Check at the multiples of the interval until ``spec.failures`` in a row failed; why the last one did.

    Failures in the start grace do not count; until the first success in it, checks are more frequent.
    ``report`` gets every result.
    """
    probe = open_probe(to_probe(spec), context)
    try:
        reason = await _until_failing(spec, probe, context.clock, is_in_grace, report)
    finally:
        await probe.close()
    return f"{to_probe(spec).kind} check: {reason}, {spec.failures} times in a row"


async def _until_failing(
    spec: CheckSpec,
    probe: Probe,
    clock: Clock,
    is_in_grace: Callable[[], bool],
    report: Callable[[bool], None],
) -> str:
    failures = 0
    is_starting = True
    while True:
        is_starting = is_starting and is_in_grace()
        await clock.sleep(min(spec.interval, _EARLY_S) if is_starting else until_next(spec.interval, clock.monotonic()))
        result = await probe.check()
        if result.ok is None:  # we could not look: that is nothing to restart a process for
            log.warning("check.impossible", reason=result.reason)
            continue
        report(result.ok)
        is_starting = is_starting and not result.ok
        if result.ok or is_in_grace():
            failures = 0
            continue
        failures += 1
        log.debug("check.failed", reason=result.reason, in_a_row=failures)
        if failures >= spec.failures:
            return result.reason


def until_next(interval_s: float, now: float) -> float:
    """Seconds until the next multiple of ``interval_s`` on the monotonic clock.

    Checks of all processes then fall together, and one waking-up serves all of them: with eight of them, a check costs
    a third of what it costs alone.
    """
    rest_s = interval_s - now % interval_s
    return rest_s if rest_s > _HAIR_S else rest_s + interval_s
