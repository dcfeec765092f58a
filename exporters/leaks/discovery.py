"""How unlikely a growth has to be to count, with so many series looked at in the same round.

Y. Benjamini and Y. Hochberg, Controlling the False Discovery Rate, J. R. Statist. Soc. B 57 (1995): of k findings among
m series, all at or below k q / m, a share of at most q is expected to be chance.
"""

from collections.abc import Iterable

#: One finding in a hundred may be chance.
SHARE = 0.01


def threshold(p_values: Iterable[float], share: float = SHARE) -> float:
    """The largest p that is a discovery: the line k q / m of the method at its k discoveries.

    With none it is that of a first one, q / m. It is not the largest p that was *found* to be one: with the single leak
    of a host that would be the leak's own p, and the next round's, a little larger or smaller, would be no discovery
    every other time.
    """
    ordered = sorted(p_values)
    if not ordered:
        return share
    step = share / len(ordered)
    discoveries = max((rank for rank, p in enumerate(ordered, start=1) if p <= rank * step), default=1)
    return discoveries * step
