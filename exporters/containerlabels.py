"""Label sets of containers, rendered once for as long as a container lasts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from homeostat import names
from homeostat.containers import Container
from homeostat.families import labels

STATES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
HEALTHS = ("none", "starting", "healthy", "unhealthy")
#: Whoever makes a container writes what he likes into its labels; a page is not the place for books.
_LONGEST = 256
#: Twice as many as a container is told to have at once.
_MOST_INTERFACES = 16


@dataclass(slots=True)
class RenderedLabels:
    """The label sets of one container. ``states`` and ``healths`` are in the order of the tables above."""

    info: str
    plain: str
    states: tuple[str, ...]
    healths: tuple[str, ...]
    _interfaces: dict[str, str] = field(default_factory=dict)

    def interface(self, name: str) -> str:
        """With the name of a network interface, one of few."""
        rendered = self._interfaces.get(name)
        if rendered is None:
            if len(self._interfaces) >= _MOST_INTERFACES:  # they are renamed again and again
                self._interfaces.clear()
            rendered = self._interfaces[name] = self._with_interface(name)
        return rendered

    def _with_interface(self, name: str) -> str:
        return self.plain.removesuffix("}") + "," + labels({"interface": name}).removeprefix("{")


class LabelCache:
    """Label sets of the containers that there are: rendering them would be most of the cost of a scrape."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], RenderedLabels] = {}
        self._last: list[Container] = []

    def render(self, containers: Iterable[Container]) -> list[RenderedLabels]:
        """In the same order. What else was known is forgotten."""
        present = list(containers)
        if present != self._last:  # the same objects, nearly always, which is quick to see
            # All other label values come from what an id never changes.
            keyed = {(c.id, c.name, c.restart_policy): c for c in present}
            self._known = {key: self._known.get(key) or _render(container) for key, container in keyed.items()}
            self._last = present
        return list(self._known.values())


def _render(container: Container) -> RenderedLabels:
    own = {names.WORKLOAD: container.workload_id, names.CONTAINER: container.name}
    identity = {
        "image": container.image,
        "id": container.id[:12],
        "compose_project": container.labels.get(names.COMPOSE_PROJECT, ""),
        "compose_service": container.labels.get(names.COMPOSE_SERVICE, ""),
        "restart_policy": container.restart_policy,
    }
    return RenderedLabels(
        info=labels(own | {name: value[:_LONGEST] for name, value in identity.items()}),
        plain=labels(own),
        states=tuple(labels(own | {"state": state}) for state in STATES),
        healths=tuple(labels(own | {"health": health}) for health in HEALTHS),
    )
