"""All series that are looked at for leaks: what is remembered of each, and what is said of them in a round.

No I/O, no clock. Several threads may call it: a round may still be at work when the process is told to end.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from exporters.leakinputs import Bound, Reading, SeriesKey
from exporters.leaks import discovery
from exporters.leaks.assessment import Assessment, Verdict
from exporters.leaks.detector import Detector
from exporters.loadcurve import Loads, best_restart

log = structlog.get_logger()

#: A hundred containers have 300, which take 1.5 MB of memory and 15 ms of CPU a minute.
MOST_SERIES = 2000
#: A series that nobody has seen for so long is forgotten.
FORGET_S = 86400.0
#: One that was not seen for so long is not told of any more.
SILENT_S = 60.0
#: Verdicts that come with a forecast.
GROWING = frozenset({Verdict.SUSPECT, Verdict.LEAK, Verdict.EXHAUSTING})


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one series. Times are epoch seconds. ``restart_at``: when a restart is best, None while nothing
    grows; in the past when it is due.
    """

    key: SeriesKey
    assessment: Assessment
    value: float
    bound: Bound
    last_sample: float
    restart_at: float | None

    @property
    def is_growing(self) -> bool:
        return self.assessment.verdict in GROWING


@dataclass(slots=True)
class Series:
    """``seen_at``: epoch seconds. ``growing_since``: when growth was first told, None when nothing grows. ``row``: what
    was said last; None before the first time, and after a restart of the exporter.
    """

    detector: Detector = field(default_factory=Detector)
    seen_at: float = 0.0
    growing_since: float | None = None
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """``rows``: by key. ``left_out``: series for which there was no room."""

    rows: tuple[Row, ...] = ()
    left_out: int = 0


class AllSeries:
    """``series`` and ``curves`` are what is to be kept over restarts; whoever reads them holds ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.series: dict[SeriesKey, Series] = {}
        self.loads = Loads()

    def take(self, readings: Iterable[Reading], now: float, seen_s: float | None) -> Round:
        """One round. ``seen_s``: since the last one, None when it is not known. Blocking: 10 us a series, and
        30 once a minute.
        """
        with self.lock:
            found = {reading.key: reading for reading in readings}
            left_out = self._make_room(found.keys(), now)
            here = [found[key] for key in found if key in self.series]
            self.loads.put(now, seen_s, _counters(here))
            self._judge(here, now)
            self._forget(now)
            told = (series.row for series in self.series.values() if series.row and now - series.seen_at <= SILENT_S)
            return Round(tuple(sorted(told, key=lambda row: row.key)), left_out)

    def history(self, keys: Iterable[SeriesKey]) -> dict[SeriesKey, list[tuple[float, float]]]:
        """(epoch seconds, floor) of these, oldest first."""
        with self.lock:
            return {key: self.series[key].detector.history() for key in keys if key in self.series}

    def _make_room(self, found: Iterable[SeriesKey], now: float) -> int:
        """How many of ``found`` there is no room for. Who is not there any more makes room for those who are."""
        new = sorted(key for key in found if key not in self.series)
        excess = len(self.series) + len(new) - MOST_SERIES
        if excess > 0:
            gone = sorted(self.series.keys() - set(found), key=lambda key: self.series[key].seen_at)
            for key in gone[:excess]:
                del self.series[key]
        room = max(0, MOST_SERIES - len(self.series))
        self.series |= {key: Series(seen_at=now) for key in new[:room]}
        return len(new) - len(new[:room])

    def _judge(self, readings: list[Reading], now: float) -> None:
        # Of the growth that the last round saw: it changes once a minute, and has to last for longer.
        p_limit = discovery.threshold(self.series[reading.key].detector.p_value for reading in readings)
        for reading in readings:
            series = self.series[reading.key]
            series.seen_at = now
            try:
                series.detector.feed(reading.sample)
                assessment = series.detector.assess(now, p_limit)
            except Exception:  # a worker loop: one series that cannot be judged must not end the judging of the others
                log.exception("leaks.broken", **_named(reading.key))
                self.series[reading.key] = Series(seen_at=now)
            else:
                series.row = self._row(series, reading, assessment, now)

    def _row(self, series: Series, reading: Reading, assessment: Assessment, now: float) -> Row:
        before = series.row.assessment.verdict if series.row else None
        if assessment.verdict is not before and {before, assessment.verdict} & GROWING:
            log.info("leaks.verdict", **_named(reading.key), verdict=assessment.verdict, reasons=assessment.reasons)
        is_growing = assessment.verdict in GROWING
        series.growing_since = min(series.growing_since or now, now) if is_growing else None
        restart_at = None
        if series.growing_since is not None and assessment.exhaustion_cautious is not None:
            curve = self.loads.curves.get(reading.key.workload)
            restart_at = best_restart(curve, series.growing_since, now, assessment.exhaustion_cautious)
        sample = reading.sample
        return Row(reading.key, assessment, sample.value, reading.bound, sample.at, restart_at)

    def _forget(self, now: float) -> None:
        for key, series in list(self.series.items()):
            series.seen_at = min(series.seen_at, now)  # the clock was put back
            if now - series.seen_at > FORGET_S:
                del self.series[key]
        self.loads.keep({key.workload for key in self.series})


def _counters(readings: Iterable[Reading]) -> dict[tuple[str, str], float]:
    """CPU time by (workload, container), as far as it is told."""
    return {
        (reading.key.workload, reading.key.container): reading.sample.work
        for reading in readings
        if reading.sample.work is not None
    }


def _named(key: SeriesKey) -> Mapping[str, str]:
    return {"workload": key.workload, "container": key.container, "resource": key.resource}
