"""Limits on what a process uses: past one for the given time, it has to be restarted."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from guardian.usage import Usage
from homeostat.clock import Clock
from homeostat.processspec import LimitsSpec

#: A sample costs about 0.2 ms of CPU.
_MAX_INTERVAL_S = 5.0
_MIN_INTERVAL_S = 0.2
_SAMPLES_PER_PERIOD = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """``at``: monotonic."""

    at: float
    usage: Usage


def are_set(limits: LimitsSpec) -> bool:
    """Whether there is anything to watch."""
    return any(limit is not None for limit in (limits.rss, limits.cpu, limits.fds))


def exceeded(limits: LimitsSpec, samples: Sequence[Sample]) -> str | None:
    """Which limit was exceeded all through the last ``for``; None when none was, or nobody looked so long.

    ``samples``: oldest first. Memory and descriptors must be over in every sample, CPU on average.
    """
    end = samples[-1].at - limits.for_
    start = next((i for i in reversed(range(len(samples))) if samples[i].at <= end), None)
    if start is None:
        return None
    seen = samples[start:]
    lowest_rss = min(sample.usage.rss_bytes for sample in seen)
    if limits.rss is not None and lowest_rss > limits.rss:
        return f"rss is at least {lowest_rss} bytes, limit {limits.rss}"
    lowest_fds = min(sample.usage.open_fds for sample in seen)
    if limits.fds is not None and lowest_fds > limits.fds:
        return f"at least {lowest_fds} open fds, limit {limits.fds}"
    cores = (seen[-1].usage.cpu_seconds - seen[0].usage.cpu_seconds) / (seen[-1].at - seen[0].at)
    if limits.cpu is not None and cores > limits.cpu:
        return f"cpu is {cores:.2f} cores on average, limit {limits.cpu:g}"
    return None


async def until_exceeded(
    limits: LimitsSpec,
    clock: Clock,
    is_in_grace: Callable[[], bool],
    read: Callable[[], Awaitable[Usage]],
) -> str:
    """Sample until a limit is exceeded; which one. What is used in the start grace does not count."""
    interval_s = min(max(limits.for_ / _SAMPLES_PER_PERIOD, _MIN_INTERVAL_S), _MAX_INTERVAL_S)
    samples: deque[Sample] = deque(maxlen=int(limits.for_ / interval_s) + 2)
    while True:
        await clock.sleep(interval_s)
        if is_in_grace():
            continue
        samples.append(Sample(clock.monotonic(), await read()))
        reason = exceeded(limits, list(samples))
        if reason is not None:
            return f"{reason}, for {limits.for_:g} s"
