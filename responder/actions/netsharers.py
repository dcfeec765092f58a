"""Who lives in whose network namespace: it is gone with the container that made it. Pure."""

from collections.abc import Iterable, Sequence

from homeostat.containers import Container

_OF_CONTAINER = "container:"


def network_sharers(owners: Iterable[Container], containers: Sequence[Container]) -> list[Container]:
    """Containers in the network of one of ``owners``, and those in theirs in turn: nearest first, each once."""
    found: list[Container] = []
    nearest = list(owners)
    seen = {each.id for each in nearest}
    while nearest:
        nearest = [each for each in containers if each.id not in seen and _is_in_network_of(each, nearest)]
        seen |= {each.id for each in nearest}
        found += sorted(nearest, key=lambda each: each.name)
    return found


def _is_in_network_of(container: Container, owners: Sequence[Container]) -> bool:
    if not container.network_mode.startswith(_OF_CONTAINER):
        return False
    owner = container.network_mode.removeprefix(_OF_CONTAINER)
    # The engine keeps what it was told, which may have been a name.
    return any(owner in (each.id, each.name) for each in owners)
