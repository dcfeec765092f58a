"""When a managed file was damaged last: who started within that time has read what was wrong. Pure.

Two know of it: the exporter, which saw it, and forgets when it ends; and the history, which says when what was replaced
had been changed, but only where there was something, and where it was homeostat that put the good one back.
"""

from collections.abc import Iterable
from itertools import pairwise

from homeostat.configfiles.versions import Origin, Version

#: From and to, epoch seconds.
Spell = tuple[float, float]


def from_history(versions: Iterable[Version]) -> Spell | None:
    """Of the newest restoring that says what it has replaced. ``versions``: oldest first."""
    spells = [
        (before.since, version.at)
        for before, version in pairwise(versions)
        if before.origin is Origin.FOUND and version.origin is Origin.RESTORED
    ]
    return spells[-1] if spells else None


def as_seen(begun_at: float, changed_at: float | None, now: float) -> Spell:
    """It ended with the change that made it good again; with none since it began, what it is judged by has changed."""
    return begun_at, changed_at if changed_at is not None and begun_at < changed_at <= now else now


def latest(one: Spell | None, other: Spell | None) -> Spell | None:
    """The later one; both in one where they are of the same damage."""
    if one is None or other is None:
        return one or other
    if one[0] <= other[1] and other[0] <= one[1]:
        return min(one[0], other[0]), max(one[1], other[1])
    return max(one, other, key=lambda spell: spell[1])
