"""From what is seen at one moment to a verdict that lasts: an alarm begins and ends slowly."""

from exporters.leaks.assessment import Verdict
from exporters.leaks.growth import Growth
from exporters.leaks.parameters import Parameters

#: An alarm this close to the limit is urgent.
URGENT_S = 1800.0
#: Growth that is no longer seen for such a share of its window has ended.
_ENDED = 1 / 4
_AT_LEAST_S = 120.0


class Watch:
    """The verdict of one series and its growth. Seconds of a clock that never goes back."""

    __slots__ = ("growth", "seen_at", "since", "suspect_since", "verdict")

    def __init__(self) -> None:
        self.verdict = Verdict.INSUFFICIENT_DATA
        #: What the verdict rests on; when such growth was last seen; since when it is seen without a break.
        self.growth: Growth | None = None
        self.seen_at = 0.0
        self.since: float | None = None
        self.suspect_since: float | None = None

    def step(self, now: float, best: Growth | None, floor: float, p: Parameters, p_limit: float) -> Verdict:
        """``best``: what is seen now, of the shape of a leak; None when nothing is."""
        likely = best is not None
        certain = best is not None and best.need <= best.trust and best.p_value <= p_limit
        self.since = (self.since or now) if certain else None
        self.suspect_since = (self.suspect_since or now) if likely else None
        if likely:
            self.growth, self.seen_at = best, now
        if self.verdict.is_alarm:
            return self._on(now, floor)
        lasting = max(_AT_LEAST_S / 2, p.lasting * best.length_s) if best else 0.0
        if self.since is not None and now - self.since >= lasting:
            return self._set(now, Verdict.LEAK)
        if self.suspect_since is not None and now - self.suspect_since >= lasting:
            return self._set(now, Verdict.SUSPECT)
        if self.verdict is Verdict.SUSPECT and not self._is_over(now):
            return self.verdict
        return self._set(now, Verdict.HEALTHY)

    def _on(self, now: float, floor: float) -> Verdict:
        """An alarm goes on until nothing grows any more, or half of it is given back."""
        assert self.growth is not None  # noqa: S101 - an alarm rests on one
        if floor < self.growth.given_back or self._is_over(now):
            self.since = self.suspect_since = None
            return self._set(now, Verdict.HEALTHY)
        return self._set(now, Verdict.LEAK)

    def _is_over(self, now: float) -> bool:
        return self.growth is None or now - self.seen_at > max(_AT_LEAST_S, _ENDED * self.growth.length_s)

    def _set(self, now: float, verdict: Verdict) -> Verdict:
        if verdict is Verdict.HEALTHY:
            self.growth = None
        if verdict is Verdict.LEAK and self.growth is not None:
            left_s = self.growth.need * self.growth.length_s - (now - self.seen_at)
            # Once urgent, it does not become less so because two windows disagree a little.
            if left_s <= (2 * URGENT_S if self.verdict is Verdict.EXHAUSTING else URGENT_S):
                verdict = Verdict.EXHAUSTING
        self.verdict = verdict
        return verdict
