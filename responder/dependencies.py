"""Whose fault it is: of what a workload needs, however far away, what is in trouble itself. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet


def blamed(workload: str, edges: Mapping[str, AbstractSet[str]], unhealthy: AbstractSet[str]) -> tuple[str, ...]:
    """Those of ``unhealthy`` that ``workload`` needs. ``edges``: workload -> what it needs.

    What needs ``workload`` in turn is left out: in a circle each would wait for the others for ever.
    """
    needed = _reachable(workload, edges) - {workload}
    return tuple(sorted(other for other in needed & unhealthy if workload not in _reachable(other, edges)))


def edges_of(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """From (workload, what it needs)."""
    edges: dict[str, set[str]] = {}
    for workload, needed in pairs:
        edges.setdefault(workload, set()).add(needed)
    return edges


def _reachable(start: str, edges: Mapping[str, AbstractSet[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for needed in edges.get(waiting.pop(), ()):
            if needed not in found:
                found.add(needed)
                waiting.append(needed)
    return found
