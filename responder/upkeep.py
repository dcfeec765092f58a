"""Planned maintenance: a silence, so that people are not called, and holds, so that nothing is done. Pure.

Each stands in for the other: a step is refused while its alert is silenced, and a silence does not need us. There is no
other record: what runs, is found by what silences and holds say. The same workloads are the same maintenance.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from homeostat.silences import Silence
from responder.ledger import Hold

ID = r"[0-9a-f]{8}"
#: Two ends so near each other are the same: the same request a moment later changes nothing.
SAME_S = 5.0
_MARK = re.compile(rf"maintenance ({ID}): (.*)")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One that runs. ``workloads``: as in settings; ``until``: epoch seconds, of what lasts longest."""

    id: str
    workloads: tuple[str, ...]
    by: str
    why: str
    until: float
    silences: tuple[Silence, ...]
    holds: tuple[Hold, ...]


class HoldStep(StrEnum):
    """What to do about the hold that stands on a pattern."""

    PUT = "put"
    #: Ours, or another maintenance's that lasts longer.
    STANDS = "stands"
    #: A person's, which lasts as long, and is left alone.
    COVERED = "covered"
    #: A person's, which ends sooner. In place of it ours would be ended by `release`, and theirs by `stop`.
    IN_THE_WAY = "in_the_way"


def unique(workloads: Iterable[str]) -> tuple[str, ...]:
    """In one order, whatever was given."""
    return tuple(sorted(set(workloads)))


def id_of(workloads: Iterable[str]) -> str:
    """The same for the same workloads, so that starting twice is one, on every replica."""
    return hashlib.sha256(" ".join(unique(workloads)).encode()).hexdigest()[:8]


def marked(maintenance_id: str, why: str) -> str:
    """The reason of a hold that belongs to it."""
    return f"maintenance {maintenance_id}: {why}"


def found(silences: Iterable[Silence], holds: Iterable[Hold], now: float) -> list[Maintenance]:
    """What runs, what ends first before the others."""
    ours: dict[str, tuple[list[Silence], list[Hold]]] = {}
    for silence in silences:
        if silence.workloads is not None and now < silence.ends_at:
            ours.setdefault(id_of(silence.workloads), ([], []))[0].append(silence)
    for hold in holds:
        if (mark := _MARK.fullmatch(hold.reason)) and hold.until is not None and now < hold.until:
            ours.setdefault(mark[1], ([], []))[1].append(hold)
    return sorted((_one(name, *parts) for name, parts in ours.items()), key=lambda each: each.until)


def hold_step(pattern: str, holds: Iterable[Hold], now: float, until: float) -> HoldStep:
    """About the one hold that there can be on a pattern."""
    standing = next((h for h in holds if h.pattern == pattern and (h.until is None or now < h.until)), None)
    if standing is None:
        return HoldStep.PUT
    is_enough = standing.until is None or standing.until >= until - SAME_S
    if standing.until is not None and _MARK.fullmatch(standing.reason):
        return HoldStep.STANDS if is_enough else HoldStep.PUT
    return HoldStep.COVERED if is_enough else HoldStep.IN_THE_WAY


def heir(hold: Hold, ending: str, running: Iterable[Maintenance]) -> Maintenance | None:
    """Another maintenance that needs a hold on the same pattern."""
    others = [each for each in running if each.id != ending and hold.pattern in each.workloads]
    return max(others, key=lambda each: each.until, default=None)


def _one(name: str, silences: Sequence[Silence], holds: Sequence[Hold]) -> Maintenance:
    """Silences name all workloads; without one, holds name those that they are on."""
    lasting = max(silences, key=lambda each: each.ends_at, default=None)
    ends = [*(each.ends_at for each in silences), *(each.until or 0.0 for each in holds)]
    if lasting is not None:
        workloads, by, why = lasting.workloads or (), lasting.by, lasting.comment
    else:
        first = holds[0]
        workloads, by, why = unique(each.pattern for each in holds), first.by, first.reason.partition(": ")[2]
    return Maintenance(name, workloads, by, why, max(ends), tuple(silences), tuple(holds))
