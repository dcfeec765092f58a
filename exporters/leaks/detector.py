"""The detector of one series: streaming, without looking ahead, with a state of bounded size.

A value that grows steadily is a leak when three things hold. It is *growth of its own shape*: neither steps nor slowing
down, and more than the series has ever given back by itself, which rules out noise, garbage collection and the time of
day. It has been *seen for long enough*, compared with the time that it has left: a trend is believed to go on for about
as long as it was seen, longer where it began after a time without growth, and less long in the first hours of a
process, which warm-ups take. And it *lasts* while it is looked at. docs/leak-detection.md tells where the numbers are
from.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exporters.leaks import looks, reasons
from exporters.leaks.assessment import Assessment, Sample, Verdict
from exporters.leaks.looks import LOOKS, Life
from exporters.leaks.parameters import PARAMETERS
from exporters.leaks.scales import Scales
from exporters.leaks.shape import given_back
from exporters.leaks.watch import Watch

if TYPE_CHECKING:
    from exporters.leaks.growth import Growth

#: A container's start is told with the precision of its engine.
_SAME_START_S = 2.0
_YOUNG_S = 300.0


class Detector:
    """Feed every sample; assess once a minute or less often. Bad values have to be kept away by the caller."""

    __slots__ = ("best", "best_of", "clock", "closed", "is_alive", "life", "offset", "refused", "scales", "watch")

    def __init__(self) -> None:
        self.scales = Scales()
        self.watch = Watch()
        self.life = Life()
        self.is_alive = False
        #: The growth with the most to be said for it, and which look it is of.
        self.best: Growth | None = None
        self.best_of = -1
        #: Why the growth that was seen last is none of a leak's.
        self.refused = ""
        #: How many scales have closed a bucket since they were last looked at.
        self.closed = 0
        #: Of the last sample, by a clock that never goes back; the sampler's is ``offset`` behind it.
        self.clock = 0.0
        self.offset = 0.0

    @property
    def p_value(self) -> float:
        """Of the growth that is seen now; 1 without any."""
        return self.best.p_value if self.best else 1.0

    def feed(self, sample: Sample) -> None:
        """Cheap."""
        now = sample.at + self.offset
        if now < self.clock:  # the clock was put back: go on as if no time had passed
            self.offset += self.clock - now
            now = self.clock
        told, life = sample.started_at, self.life
        if not self.is_alive or (told is not None and abs(told - (life.told or 0.0)) > _SAME_START_S):
            life = self._begin(told, now)
        self.clock, life.value, life.limit = now, sample.value, sample.limit
        if sample.work is not None:
            life.load.put(now, sample.work)
        self.closed = max(self.closed, self.scales.put(now, sample.value))

    def _begin(self, told: float | None, now: float) -> Life:
        """A new life: what grew is gone. What is remembered of the old ones is how they behaved."""
        back = max(self.life.gives_back, *(given_back(scale.floors) for scale in self.scales.all))
        again = self.life.again if self.watch.growth is None else self.watch.growth.slope.median
        started = now if told is None else min(now, told + self.offset)
        self.scales.clear()
        self.watch, self.life, self.is_alive = (
            Watch(),
            Life(started, now, told, gives_back=back, again=again, load=self.life.load),
            True,
        )
        self._forget()
        return self.life

    def _forget(self) -> None:
        self.best, self.best_of, self.closed, self.refused = None, -1, 0, ""

    def assess(self, now: float, p_limit: float = PARAMETERS.p_limit) -> Assessment:
        """``now``: epoch seconds of the sampler's clock. ``p_limit``: see exporters.leaks.discovery."""
        limit = self.life.limit
        if limit is None:
            return Assessment(Verdict.INSUFFICIENT_DATA, reasons=(reasons.NO_LIMIT,))
        self._look(limit)
        floors = self.scales.all[0].floors
        floor = floors[-1] if floors and floors[-1] != math.inf else self.life.value
        was_alarm = self.watch.verdict.is_alarm
        verdict = self.watch.step(self.clock, self.best, floor, PARAMETERS, p_limit)
        if was_alarm and not verdict.is_alarm:
            self._forget()  # what was seen at coarser scales is of before
        return self._assessment(verdict, now, limit)

    def _look(self, limit: float) -> None:
        """With the scales that have closed a bucket; with all of them when what was best is no longer there."""
        if self.closed > 1:
            self.refused = ""
        due = [number for number, look in enumerate(LOOKS) if look.scale < self.closed]
        self.closed = 0
        was_best = self.best_of in due
        if was_best:
            self.best, self.best_of = None, -1
        self._try(due, limit)
        if was_best and self.best is None:
            self._try([number for number in range(len(LOOKS)) if number not in due], limit)

    def _try(self, numbers: Sequence[int], limit: float) -> None:
        for number in numbers:
            found = LOOKS[number].find(self.scales, self.life, limit)
            if found:
                self.refused = found[-1].refused
            best = looks.best(found)
            if best is not None and (self.best is None or looks.promise(best) > looks.promise(self.best)):
                self.best, self.best_of = best, number

    def _assessment(self, verdict: Verdict, now: float, limit: float) -> Assessment:
        growth = self.watch.growth
        if growth is None:
            if self.clock - self.life.started < _YOUNG_S:
                return Assessment(Verdict.INSUFFICIENT_DATA, limit=limit, reasons=(reasons.TOO_YOUNG,))
            is_young = self.clock - self.life.started < PARAMETERS.grown_s
            if is_young and self.refused == reasons.SLOWING_DOWN and verdict is Verdict.HEALTHY:
                verdict = Verdict.WARMING
            return Assessment(verdict, limit=limit, reasons=(self.refused,) if self.refused else ())
        left_s, ago_s = growth.need * growth.length_s, self.clock - self.watch.seen_at
        return Assessment(
            verdict=verdict,
            slope=growth.slope.median,
            slope_low=growth.slope.low,
            slope_high=growth.slope.high,
            confidence=min(1.0, growth.trust / max(growth.need, 1e-9)) * (1 - growth.p_value),
            exhaustion=now + max(0.0, left_s - ago_s),
            exhaustion_cautious=now + max(0.0, left_s * growth.slope.median / growth.slope.high - ago_s),
            onset=growth.begins - self.offset,
            limit=limit,
            reasons=growth.signs,
        )

    def history(self) -> list[tuple[float, float]]:
        """(epoch seconds, floor) of what is remembered, oldest first: the finest there is of each time."""
        found: list[tuple[float, float]] = []
        until = math.inf
        for scale in self.scales.all:
            begins = scale.end - len(scale.floors) * scale.width_s
            points = ((begins + index * scale.width_s, floor) for index, floor in enumerate(scale.floors))
            found = [(at - self.offset, floor) for at, floor in points if at < until and floor != math.inf] + found
            until = min(until, begins)
        return found
