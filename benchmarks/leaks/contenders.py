"""Who can be asked for alarms, ours among them, and how alarms are taken down: the same for all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.leaks.trace import Trace
from exporters.leaks.assessment import Assessment, Sample

OURS = "homeostat"
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """The begin of a time in which a contender says "leak": ``at``, and when it then expects exhaustion (None: it does
    not say). Epoch seconds.
    """

    at: float
    exhaustion: float | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a contender holds of a series after one evaluation."""

    is_leak: bool
    exhaustion: float | None = None


QUIET = Opinion(is_leak=False)


class Contender(Protocol):
    """``evaluation_s``: of a trace's time, between two evaluations."""

    @property
    def name(self) -> str: ...

    @property
    def evaluation_s(self) -> float: ...

    def alarms(self, trace: Trace) -> list[Alarm]:
        """In the order in which they came. An alarm rests on nothing that was sampled after it."""


class Rule(Protocol):
    """A baseline at work on one series. It is told a sample a minute and nothing of the container: Prometheus' rules
    and the methods of the literature know one series with a name that stays.
    """

    def look(self, at: float, value: float, limit: float) -> Opinion | None:
        """None when this was no time to evaluate."""


class LeakDetector(Protocol):
    """exporters.leaks.detector.Detector, or a stand-in."""

    def feed(self, sample: Sample) -> None: ...

    def assess(self, now: float) -> Assessment: ...


@dataclass(slots=True)
class Book:
    """Takes alarms down. After one there is no other until the contender has been quiet, or the container has started
    anew: who would then still be acted on is a container that is minutes old.
    """

    starts: Sequence[float]
    alarms: list[Alarm] = field(default_factory=list)
    _segment: int = 0
    _is_on: bool = False

    def note(self, at: float, opinion: Opinion) -> None:
        while self._segment + 1 < len(self.starts) and self.starts[self._segment + 1] <= at:
            self._segment += 1
            self._is_on = False
        if opinion.is_leak and not self._is_on:
            self.alarms.append(Alarm(at, opinion.exhaustion))
        self._is_on = opinion.is_leak


def minutes(trace: Trace) -> Iterator[tuple[float, float, float]]:
    """Time, value and limit, as a scrape each minute would have them. As in Prometheus, what is older than the newest
    sample is dropped: after the clock has gone back, nothing comes until it has caught up.
    """
    newest = float("-inf")
    for at, value, limit in zip(trace.times, trace.values, trace.limits, strict=True):
        if at >= newest + _MINUTE_S:
            newest = at - at % _MINUTE_S
            yield at, value, limit


@dataclass(frozen=True, slots=True)
class Baseline:
    """A contender made of a rule."""

    name: str
    evaluation_s: float
    make: Callable[[], Rule]

    def alarms(self, trace: Trace) -> list[Alarm]:
        rule, book = self.make(), Book(trace.starts)
        for at, value, limit in minutes(trace):
            opinion = rule.look(at, value, limit)
            if opinion is not None:
                book.note(at, opinion)
        return book.alarms


def new_detector() -> LeakDetector:
    """Ours, as it ships; imported here only."""
    from exporters.leaks.detector import Detector  # noqa: PLC0415 - baselines are measured without it

    return Detector()


@dataclass(frozen=True, slots=True)
class Homeostat:
    """Ours: fed every sample, asked once a minute."""

    make: Callable[[], LeakDetector] = new_detector
    name: str = OURS
    evaluation_s: float = _MINUTE_S

    def alarms(self, trace: Trace) -> list[Alarm]:
        detector, book = self.make(), Book(trace.starts)
        asked = float("-inf")
        for sample in trace.samples():
            detector.feed(sample)
            # The clock may go back.
            if not asked <= sample.at < asked + self.evaluation_s:
                asked = sample.at
                assessment = detector.assess(sample.at)
                book.note(sample.at, Opinion(assessment.verdict.is_alarm, assessment.exhaustion))
        return book.alarms
