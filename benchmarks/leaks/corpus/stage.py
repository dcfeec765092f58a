"""Where a trace is made: its true clock, its limit, its luck. Makers count in shares of the limit."""

from dataclasses import dataclass, replace
from math import exp, log
from random import Random

MINUTE = 60.0
HOUR = 3600.0
DAY = 86400.0
WEEK = 7 * DAY
MONDAY = 1_767_571_200.0  # 2026-01-05 00:00 UTC: days and weeks of load are counted from here

_MIB = 1024.0**2
_LIMITS: dict[str, tuple[float, ...]] = {
    "memory": tuple(n * _MIB for n in (128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)),
    "fds": (1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 32768.0, 65536.0),
    "threads": (100.0, 128.0, 200.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0),
    "connections": (20.0, 30.0, 50.0, 80.0, 100.0, 150.0, 200.0),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """``at``: true epoch seconds of the samples. ``step``: seconds between them. ``started``: when the container
    started, before the first of them. ``limit`` in base units.
    """

    rng: Random
    resource: str
    limit: float
    at: list[float]
    step: float
    jitter: float
    started: float

    @property
    def begin(self) -> float:
        return self.at[0]

    @property
    def span(self) -> float:
        """Seconds."""
        return len(self.at) * self.step

    def index(self, moment: float) -> int:
        """Of the sample nearest to an epoch second."""
        return max(0, min(len(self.at) - 1, round((moment - self.at[0]) / self.step)))

    def within(self, low: float = 0.0, high: float = 1.0) -> float:
        """An epoch second between two shares of the trace."""
        return self.begin + self.span * self.rng.uniform(low, high)

    def before(self, index: int) -> float:
        """A moment at which a container may start, between the samples ``index - 1`` and ``index``."""
        return self.at[index] - 0.3 * self.step

    def fresh(self) -> "Stage":
        """The same, with a container that has just started."""
        return replace(self, started=self.before(0))

    def longer(self, seconds: float) -> "Stage":
        """The same, with a clock that goes on, for what would have been."""
        more = range(len(self.at), len(self.at) + round(seconds / self.step))
        return replace(self, at=self.at + _ticks(self.rng, self.at[0], self.step, self.jitter, more))


def open_stage(rng: Random, resource: str, weeks: float, step_s: float) -> Stage:
    """Begins at any hour of a week. Three containers in ten have just started, the others are up to a month old."""
    begin = MONDAY + rng.random() * WEEK
    jitter = rng.uniform(0.005, 0.05)
    at = _ticks(rng, begin, step_s, jitter, range(round(weeks * WEEK / step_s)))
    age = 0.3 * step_s if rng.random() < 0.3 else log_uniform(rng, HOUR, 30 * DAY)
    return Stage(rng, resource, rng.choice(_LIMITS[resource]), at, step_s, jitter, at[0] - age)


def log_uniform(rng: Random, low: float, high: float) -> float:
    """Every order of magnitude is as likely."""
    return exp(rng.uniform(log(low), log(high)))


def _ticks(rng: Random, begin: float, step: float, jitter: float, indices: range) -> list[float]:
    random, late = rng.random, step * jitter
    return [begin + step * index + late * random() for index in indices]
