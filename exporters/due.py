"""Which containers to inspect at a poll. Pure. The list costs one call, inspecting costs one call for each."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet

from homeostat.containers import Container, ContainerRow

#: Every container is inspected at least once in so many polls, an equal share of them at each.
POLLS_PER_ROUND = 6
#: Others change by themselves, and may look the same in the list.
_CALM = frozenset({"created", "running", "paused", "exited"})
_WELL = frozenset({"none", "healthy"})


def due(
    rows: Collection[ContainerRow],
    known: Mapping[str, Container],
    inspected_at: Mapping[str, float],
    suspects: AbstractSet[str],
) -> set[str]:
    """Ids of the new ones, of the ``suspects``, of those that the list contradicts or that are about to change; and of
    the others a share, the longest not inspected first.
    """
    wanted = {row.id for row in rows if row.id in suspects or needs_inspection(row, known.get(row.id))}
    others = sorted((row.id for row in rows if row.id not in wanted), key=lambda key: inspected_at.get(key, 0.0))
    return wanted | set(others[: -(-len(rows) // POLLS_PER_ROUND)])


def needs_inspection(row: ContainerRow, container: Container | None) -> bool:
    """Whether what is known of a container is not, or soon will not be, what the engine knows."""
    if container is None or contradicts(row, container) or container.status not in _CALM:
        return True
    # The list tells of a failing health check only once it has failed often enough, and in some states not at all.
    return container.is_running and (container.health not in _WELL or container.health != (row.health or "none"))


def contradicts(row: ContainerRow, container: Container) -> bool:
    """Whether the list says something else."""
    if row.status != container.status or container.name not in row.names:
        return True
    return container.is_running and row.health not in (None, container.health)
