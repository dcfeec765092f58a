"""What the checks of one probe come to: its counts, and how it is after its thresholds. Pure."""

from bisect import bisect_left
from dataclasses import dataclass

from homeostat.probes import ProbeResult
from homeostat.probes.model import HttpMeasured
from homeostat.workloads import ProbeSpec

#: Upper bounds of response times, in seconds.
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))


@dataclass(frozen=True, slots=True)
class Tally:
    """``errors``: checks without a verdict. ``counts``: the others by response time, one per bound of BOUNDS_S;
    ``seconds``: their sum. ``healthy``: None before the first result. ``contrary``: results in a row against it.
    ``tls_expires_at``: of the last certificate that was accepted; kept, as an expired one is never seen again.
    """

    checks: int = 0
    failures: int = 0
    errors: int = 0
    counts: tuple[int, ...] = (0,) * len(BOUNDS_S)
    seconds: float = 0.0
    healthy: bool | None = None
    contrary: int = 0
    tls_expires_at: float | None = None

    def add(self, result: ProbeResult, spec: ProbeSpec) -> "Tally":
        """With one more check. One without a verdict changes the counts only."""
        has_verdict = result.ok is not None
        healthy, contrary = health_after(self.healthy, self.contrary, result.ok, spec)
        return Tally(
            checks=self.checks + 1,
            failures=self.failures + (result.ok is False),
            errors=self.errors + (not has_verdict),
            counts=_one_more(self.counts, result.seconds) if has_verdict else self.counts,
            seconds=self.seconds + (result.seconds if has_verdict else 0.0),
            healthy=healthy,
            contrary=contrary,
            tls_expires_at=_expiry(result) or self.tls_expires_at,
        )


def health_after(healthy: bool | None, contrary: int, ok: bool | None, spec: ProbeSpec) -> tuple[bool | None, int]:
    """The first result decides at once; then ``spec.failures`` in a row make it bad, ``spec.successes`` good again."""
    if ok is None:
        return healthy, contrary
    if healthy is None or ok == healthy:
        return ok, 0
    needed = spec.failures if healthy else spec.successes
    return (ok, 0) if contrary + 1 >= needed else (healthy, contrary + 1)


def _one_more(counts: tuple[int, ...], seconds: float) -> tuple[int, ...]:
    at = bisect_left(BOUNDS_S, seconds)  # a bound belongs to its own bucket
    return (*counts[:at], counts[at] + 1, *counts[at + 1 :])


def _expiry(result: ProbeResult) -> float | None:
    return result.measured.tls_expires_at if isinstance(result.measured, HttpMeasured) else None
