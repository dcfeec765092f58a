"""The liveness check: from outside, on a fresh connection each time."""

from collections.abc import Callable

import structlog

from homeostat.probes import ProbeContext, run_probe
from homeostat.settings import CheckSpec
from homeostat.workloads import ProbeSpec

log = structlog.get_logger()

#: So that what waits for a start learns of it soon.
_EARLY_S = 0.5


def to_probe(spec: CheckSpec) -> ProbeSpec:
    kind, target = ("http", spec.http) if spec.http is not None else ("tcp", spec.tcp)
    return ProbeSpec(kind, target or "", spec.interval, spec.timeout)


async def until_failing(
    spec: CheckSpec,
    context: ProbeContext,
    is_in_grace: Callable[[], bool],
    report: Callable[[bool], None],
) -> str:
    """Check at the interval until ``spec.failures`` in a row failed; why the last one did.

    Failures in the start grace do not count; until the first success in it, checks are more frequent.
    ``report`` gets every result.
    """
    probe = to_probe(spec)
    failures = 0
    is_starting = True
    while True:
        is_starting = is_starting and is_in_grace()
        await context.clock.sleep(min(spec.interval, _EARLY_S) if is_starting else spec.interval)
        result = await run_probe(probe, context)
        report(result.ok)
        is_starting = is_starting and not result.ok
        if result.ok or is_in_grace():
            failures = 0
            continue
        failures += 1
        log.debug("check.failed", kind=probe.kind, reason=result.reason, in_a_row=failures)
        if failures >= spec.failures:
            return f"{probe.kind} check: {result.reason}, {failures} times in a row"
