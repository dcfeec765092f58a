"""Who depends on a workload, and in which order they are restarted after it. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """``levels``: first the workload itself, then what needs nothing that comes later. ``left``: who would have been
    next -> why it is left out.
    """

    levels: tuple[tuple[str, ...], ...]
    left: Mapping[str, str]


def reach(root: str, needs: Mapping[str, Collection[str]], depth: int, why_not: Callable[[str], str]) -> Reach:
    """Those that need ``root``, and those that need them, up to ``depth``. ``needs``: workload -> what it depends on.

    ``why_not`` gives the reason to leave one out, empty for none. What needs only those that are left out is not
    reached: nothing of what it depends on is touched.
    """
    chosen, left = {root: 0}, dict[str, str]()
    nearest = {root}
    for distance in range(1, depth + 1):
        next_ones = sorted(each for each in needs if each not in chosen and nearest.intersection(needs[each]))
        left |= {each: reason for each in next_ones if each not in left and (reason := why_not(each))}
        nearest = {each for each in next_ones if each not in left}
        chosen |= dict.fromkeys(nearest, distance)
    return Reach(tuple(_in_levels(chosen, needs)), left)


def _in_levels(distances: Mapping[str, int], needs: Mapping[str, Collection[str]]) -> list[tuple[str, ...]]:
    waiting, levels = set(distances), list[tuple[str, ...]]()
    while waiting:
        ready = {each for each in waiting if not (waiting - {each}).intersection(needs.get(each, ()))}
        if not ready:  # a circle: it is entered where the workload itself is nearest
            ready = {min(waiting, key=lambda each: (distances[each], each))}
        levels.append(tuple(sorted(ready)))
        waiting -= ready
    return levels
