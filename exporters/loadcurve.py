"""How busy a workload is at each time of day, and so when a restart of it disturbs the least. Pure."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

SLOT_S = 1800.0
SLOTS = 48
#: Of a half hour, so much has to have been seen.
_SEEN_S = SLOT_S / 2
#: What a new day counts against those before it: half of a day is forgotten two days later, nearly all after a week.
_NEWEST = 0.3
#: Of the time from the first warning to exhaustion, so much is kept as a margin.
_MARGIN = 0.15
#: While no day is known, a restart is best half way.
_HALF_WAY = 0.5


@dataclass(slots=True)
class LoadCurve:
    """Mean cores in use in each half hour of the day (UTC), exponentially weighted over days; None for a half hour that
    was never seen. ``slot``: number of the half hour that is being seen (epoch seconds // 1800), with ``used_s``
    seconds of CPU time in ``seen_s`` seconds.
    """

    cores: list[float | None] = field(default_factory=lambda: [None] * SLOTS)
    slot: int = -1
    used_s: float = 0.0
    seen_s: float = 0.0

    def put(self, at: float, used_s: float, seen_s: float) -> None:
        """``used_s`` seconds of CPU time were used in the ``seen_s`` seconds before ``at`` (epoch seconds)."""
        slot = int(at // SLOT_S)
        if slot != self.slot:
            self._close()
            self.slot, self.used_s, self.seen_s = slot, 0.0, 0.0
        self.used_s += used_s
        self.seen_s += seen_s

    def _close(self) -> None:
        if self.seen_s < _SEEN_S:
            return
        mean, index = self.used_s / self.seen_s, self.slot % SLOTS
        before = self.cores[index]
        self.cores[index] = mean if before is None else before + _NEWEST * (mean - before)


class Loads:
    """The curves of all workloads, from counters of CPU time by (workload, container)."""

    def __init__(self) -> None:
        self.curves: dict[str, LoadCurve] = {}
        self._last: Mapping[tuple[str, str], float] = {}

    def put(self, at: float, seen_s: float | None, counters: Mapping[tuple[str, str], float]) -> None:
        """``seen_s``: since the last call; None when that is too long ago to say when it was used, or unknown."""
        used: dict[str, float] = {}
        for (workload, container), total in counters.items():
            before = self._last.get((workload, container))
            if before is not None:
                # One that is smaller has begun anew.
                used[workload] = used.get(workload, 0.0) + (total - before if total >= before else total)
        self._last = dict(counters)
        if seen_s is None:
            return
        for workload, used_s in used.items():
            self.curves.setdefault(workload, LoadCurve()).put(at, used_s, seen_s)

    def keep(self, workloads: Collection[str]) -> None:
        """Forget all others."""
        self.curves = {workload: curve for workload, curve in self.curves.items() if workload in workloads}


def quietest(curve: LoadCurve, now: float, until: float) -> float | None:
    """The start of the quietest half hour between now (the one of now included) and ``until``, in epoch seconds. Of
    equally quiet ones the last: the later a restart, the fewer there are. None while not every one is known.
    """
    if any(cores is None for cores in curve.cores):
        return None
    first, last = int(now // SLOT_S), math.ceil(until / SLOT_S)
    # The last day has all that there are.
    slots = range(max(first, last - SLOTS), max(last, first + 1))
    return min(reversed(slots), key=lambda slot: curve.cores[slot % SLOTS] or 0.0) * SLOT_S


def best_restart(curve: LoadCurve | None, since: float, now: float, exhaustion: float) -> float:
    """When a restart is best, in epoch seconds: the quietest time that leaves a margin, half of the time while no day
    is known. In the past when it is due.

    ``since``: when growth was first told; ``exhaustion``: the cautious one. Both margin and half are counted from
    ``since``: counted from now on, they would recede as they come nearer.
    """
    ahead_s = max(0.0, exhaustion - since)
    until = since + (1 - _MARGIN) * ahead_s
    found = None if curve is None or until <= now else quietest(curve, now, until)
    return since + _HALF_WAY * ahead_s if found is None else found
