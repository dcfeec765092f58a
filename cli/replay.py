"""A trace through a detector, as the exporter would have seen it: what it said, and when it changed its mind."""

import contextlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.traces import Trace
from exporters.leaks.assessment import Assessment, Sample
from homeostat.clock import Clock

#: How often the verdict is asked for, in seconds of the trace.
_PERIOD_S = 60.0
_SHOW_PROGRESS_AFTER_S = 2.0
_SAMPLES_PER_LOOK = 1000


class StreamingDetector(Protocol):
    """As exporters.leaks.detector has it."""

    def feed(self, sample: Sample) -> None: ...

    def assess(self, now: float) -> Assessment: ...

    def history(self) -> list[tuple[float, float]]:
        """(epoch seconds, floor), oldest first."""
        ...


def new_detector() -> StreamingDetector:
    from exporters.leaks.detector import Detector  # noqa: PLC0415 - the other commands start without it

    return Detector()


@dataclass(frozen=True, slots=True)
class Change:
    """What was said at ``at``, the time of the sample that had come last."""

    at: float
    assessment: Assessment


class Replay:
    """``last``: what was said last; None before the first sample."""

    def __init__(self, detector: StreamingDetector) -> None:
        self.detector = detector
        self.last: Change | None = None

    def changes(self, samples: Iterable[Sample]) -> Iterator[Change]:
        """The first verdict and each that differs from the one before. It is asked for with the first sample, then once
        a minute of the trace, whichever way its clock goes.
        """
        for sample in samples:
            self.detector.feed(sample)
            before = self.last
            if before is not None and abs(sample.at - before.at) < _PERIOD_S:
                continue
            self.last = Change(sample.at, self.detector.assess(sample.at))
            if before is None or before.assessment.verdict is not self.last.assessment.verdict:
                yield self.last


def with_progress(trace: Trace, size: int | None, to: Console, clock: Clock) -> Generator[Sample]:
    """The samples of ``trace``, and how far it is once that takes long, on a terminal only. ``size``: bytes; None when
    nobody knows. Close it to take the bar away.
    """
    if not to.is_terminal:
        yield from trace
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # What is printed meanwhile goes where it belongs: stdout may be a file.
    bar = Progress(*columns, console=to, transient=True, redirect_stdout=False, redirect_stderr=False)
    with contextlib.ExitStack() as stack:
        task, begun = bar.add_task(trace.name, total=size), clock.monotonic()
        for count, sample in enumerate(trace):
            if count % _SAMPLES_PER_LOOK == 0:
                bar.update(task, completed=trace.consumed)
                if not bar.live.is_started and clock.monotonic() - begun > _SHOW_PROGRESS_AFTER_S:
                    stack.enter_context(bar)
            yield sample
