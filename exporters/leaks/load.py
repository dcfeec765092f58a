"""How busy a workload is, compared with what it usually is: from a counter of its work."""

import math
from dataclasses import dataclass

#: Time constants of the mean work per second now, and usually.
_NOW_S = 3600.0
_USUALLY_S = 2 * 86400.0
#: A gap tells nothing of the time in it.
_GAP_S = 600.0


@dataclass(slots=True)
class Load:
    """``at``: seconds of a clock that never goes back. ``counted``: the counter then, -1 for none; one that falls began
    anew. ``known_s``: for how long it was seen. ``now`` and ``usually``: work per second.
    """

    at: float = 0.0
    counted: float = -1.0
    known_s: float = 0.0
    now: float = 0.0
    usually: float = 0.0

    def put(self, at: float, work: float) -> None:
        """One more reading of the counter."""
        passed_s, before = at - self.at, self.counted
        self.at, self.counted = at, work
        if not 0 <= before <= work or not 0 < passed_s <= _GAP_S:
            return
        rate = (work - before) / passed_s
        self.known_s += passed_s
        self.now += (rate - self.now) * (1 - math.exp(-passed_s / min(_NOW_S, self.known_s)))
        self.usually += (rate - self.usually) * (1 - math.exp(-passed_s / min(_USUALLY_S, self.known_s)))

    @property
    def ratio(self) -> float:
        """Of now to usually; 1 while too little is known to tell."""
        return self.now / self.usually if self.usually > 0 and self.known_s > _NOW_S else 1.0
