"""What the detector costs: an evaluation of the hardest kind, 600 series together, and the memory of one."""

import copy
import gc
import math
import random
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.leaks.contenders import LeakDetector, new_detector
from benchmarks.leaks.sizes import deep_size
from benchmarks.report import percentile
from exporters.leaks.assessment import Sample

SERIES = 600
_STEP_S = 15.0
_STEPS_PER_MINUTE = 4
_HOUR_S = 3600.0
_LIMIT = float(1 << 30)
_START = 1.8e9
#: Long enough for every window of the detector to be full.
_FILLED_HOURS = 8 * 24
#: Of all evaluations, those that cost the most; the others fall between two buckets and find nothing new.
_HARDEST_SHARE = 0.05
#: The same work again, of which the fastest counts: what interrupts one run does not interrupt the same place of
#: another.
_REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """``evaluation_us``: median and p99 of the hardest evaluations of a hard series. ``cores``: share of one core for
    SERIES series. ``bytes_by_size`` and ``bytes_by_allocation``: of one series, counted and as the allocator had it.
    """

    evaluation_us: tuple[float, float]
    cores: float
    bytes_by_size: int
    bytes_by_allocation: int


#: A share of the limit at an hour, with a draw between 0 and 1.
Shape = Callable[[float, float], float]


def _flat(_: float, draw: float) -> float:
    return 0.4 + 0.02 * draw


def _sawtooth(hour: float, draw: float) -> float:
    return 0.3 + 0.2 * (hour * 2.3 % 1) + 0.02 * draw


def _daily(hour: float, draw: float) -> float:
    return 0.4 + 0.15 * math.sin(hour / 24 * 2 * math.pi) + 0.02 * draw


def _leak(hour: float, draw: float) -> float:
    """Under garbage collection and a daily pattern; exhausted some days after the last hour that is looked at."""
    return 0.1 + 0.0025 * hour + 0.05 * (hour * 2.3 % 1) + 0.05 * math.sin(hour / 24 * 2 * math.pi) + 0.02 * draw


SHAPES: Sequence[Shape] = (_flat, _sawtooth, _daily, _leak)


def samples(shape: Shape, first_hour: float, hours: float, seed: int = 1) -> list[Sample]:
    """One each 15 s."""
    rng = random.Random(seed)
    count = int(hours * _HOUR_S / _STEP_S)
    ats = (first_hour * _HOUR_S + step * _STEP_S for step in range(count))
    return [Sample(_START + at, shape(at / _HOUR_S, rng.random()) * _LIMIT, _LIMIT, _START) for at in ats]


def filled(make: Callable[[], LeakDetector], shape: Shape, hours: float = _FILLED_HOURS) -> LeakDetector:
    """A detector that has seen this for so long."""
    detector = make()
    for step, sample in enumerate(samples(shape, 0.0, hours)):
        detector.feed(sample)
        if step % _STEPS_PER_MINUTE == 0:
            detector.assess(sample.at)
    return detector


def measure(make: Callable[[], LeakDetector] = new_detector, hours: float = 4.0, series: int = SERIES) -> Cost:
    """``hours`` of ``series`` series, each filled before."""
    detectors = [filled(make, shape) for shape in SHAPES]
    return Cost(
        evaluation_us=evaluation_us(detectors[-1]),
        cores=cores(detectors, hours, series),
        bytes_by_size=max(map(deep_size, detectors)),
        bytes_by_allocation=max(allocated(make, shape) for shape in SHAPES),
    )


def evaluation_us(leaking: LeakDetector, hours: float = 72.0) -> tuple[float, float]:
    """Median and p99 of the hardest, over ``hours`` more of a leak."""
    more = samples(_leak, _FILLED_HOURS, hours)
    runs = [_assess_s(copy.deepcopy(leaking), more) for _ in range(_REPETITIONS)]
    fastest = sorted(map(min, *runs), reverse=True)
    hardest = fastest[: max(1, int(len(fastest) * _HARDEST_SHARE))]
    return percentile(hardest, 0.5) * 1e6, percentile(hardest, 0.99) * 1e6


def _assess_s(detector: LeakDetector, more: Sequence[Sample]) -> list[float]:
    took = []
    for step, sample in enumerate(more):
        detector.feed(sample)
        if step % _STEPS_PER_MINUTE == 0:
            start = time.perf_counter()
            detector.assess(sample.at)
            took.append(time.perf_counter() - start)
    return took


def cores(detectors: Sequence[LeakDetector], hours: float, series: int) -> float:
    """CPU seconds of this process by seconds of ``hours``, for ``series`` copies of the detectors, equally many of
    each.
    """
    crowd = [(copy.deepcopy(detectors[index % len(detectors)]), index % len(detectors)) for index in range(series)]
    rounds = list(zip(*(samples(shape, _FILLED_HOURS, hours) for shape in SHAPES[: len(detectors)]), strict=True))
    before = time.process_time()
    for step, each in enumerate(rounds):
        for detector, shape in crowd:
            detector.feed(each[shape])
        if step % _STEPS_PER_MINUTE == 0:
            for detector, shape in crowd:
                detector.assess(each[shape].at)
    return (time.process_time() - before) / (hours * _HOUR_S)


def allocated(make: Callable[[], LeakDetector], shape: Shape, hours: float = _FILLED_HOURS) -> int:
    """Bytes, as the allocator has them, that filling one more leaves behind."""
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        detector = filled(make, shape, hours)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        del detector
        return after - before
    finally:
        tracemalloc.stop()
