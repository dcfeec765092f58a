"""Bucket counting as in RESIN, on the one entity that a small host has.

Lou et al., "RESIN: A Holistic Service for Dealing with Memory Leaks in Production Cloud Infrastructure", OSDI 2022: a
"bucketization-based pivot scheme" counts how many entities of a fleet are in each bucket of usage, hour by hour, and
asks whether a count is far above its own history. It lives on fleets; this is what is left of it for one container,
where a count is 0 or 1.

Ours, as buckets and thresholds of the paper are of its fleet (and only its abstract was at hand): buckets of 5 % of the
limit; the median of an hour decides in which one the container is (or above); a test period of 6 h, in each of which
the count is above its mean by three standard deviations; a history of the 18 h to 7 days before that. Evaluated every
hour. It expects no time of exhaustion.
"""

from collections import deque
from dataclasses import dataclass, field
from math import sqrt
from statistics import median

from benchmarks.leaks.contenders import QUIET, Opinion

_HOUR_S = 3600.0
_BUCKETS = 20
_TEST = 6
_LEAST_HISTORY = 18
_MOST_HISTORY = 7 * 24
_SIGMAS = 3.0


@dataclass(slots=True)
class BucketCounting:
    _hours: deque[int] = field(default_factory=lambda: deque(maxlen=_MOST_HISTORY + _TEST))
    _hour: float | None = None
    _shares: list[float] = field(default_factory=list)

    def look(self, at: float, value: float, limit: float) -> Opinion | None:
        hour = at // _HOUR_S
        opinion = None
        if self._hour is not None and hour != self._hour:
            self._hours.append(int(median(self._shares) * _BUCKETS))
            self._shares.clear()
            opinion = self._test()
        self._hour = hour
        self._shares.append(value / limit)
        return opinion

    def _test(self) -> Opinion:
        """On the highest bucket in or above which the container was in every hour of the test period: in lower ones it
        was more often.
        """
        hours = list(self._hours)
        history, tested = hours[:-_TEST], hours[-_TEST:]
        if len(history) < _LEAST_HISTORY:
            return QUIET
        bucket = min(tested)
        usual = sum(hour >= bucket for hour in history) / len(history)
        return Opinion(is_leak=usual + _SIGMAS * sqrt(usual * (1 - usual)) < 1.0)
