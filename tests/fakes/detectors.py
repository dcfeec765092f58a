"""A detector that says what the values tell it to: what is around it is under test."""

from collections import deque

from exporters.leaks.assessment import Assessment, Sample, Verdict


class FakeDetector:
    """cli.replay.StreamingDetector. A value of 100 or more leaks, one unit a second, until the limit; the rest is
    healthy. ``asked``: the times of all assessments. It remembers 50 samples.
    """

    def __init__(self) -> None:
        self.fed = 0
        self.asked: list[float] = []
        self._kept: deque[Sample] = deque(maxlen=50)

    def feed(self, sample: Sample) -> None:
        self.fed += 1
        self._kept.append(sample)

    def assess(self, now: float) -> Assessment:
        self.asked.append(now)
        latest = self._kept[-1]
        if latest.value < 100:
            return Assessment(Verdict.HEALTHY, limit=latest.limit)
        rest = None if latest.limit is None else latest.limit - latest.value
        return Assessment(
            Verdict.LEAK,
            slope=1.0,
            slope_low=0.5,
            slope_high=2.0,
            confidence=0.9,
            exhaustion=None if rest is None else now + rest,
            exhaustion_cautious=None if rest is None else now + rest / 2,
            onset=self._kept[0].at,
            limit=latest.limit,
            reasons=("grows", "since_[start]"),
        )

    def history(self) -> list[tuple[float, float]]:
        return [(sample.at, sample.value) for sample in self._kept]
