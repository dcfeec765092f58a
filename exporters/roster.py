"""Which containers there are as far as is known, and since when something of them is in doubt. No I/O."""

from collections.abc import Collection, Mapping

from homeostat.containers import Container


class Roster:
    """Containers by id, errands of ``docker compose run`` aside. What was asked for later is newer, whenever its answer
    comes: :meth:`turn` before asking, and hand it in with the answer. Times are those of one monotonic clock.
    """

    def __init__(self) -> None:
        self._containers: dict[str, Container] = {}
        self._sorted: tuple[Container, ...] | None = ()
        self._turn = 0
        self._turns: dict[str, int] = {}
        self._inspected_at: dict[str, float] = {}
        self._in_doubt: dict[str, float] = {}

    @property
    def containers(self) -> tuple[Container, ...]:
        """By name. The same object while nothing has changed."""
        if self._sorted is None:
            self._sorted = tuple(sorted(self._containers.values(), key=lambda container: container.name))
        return self._sorted

    @property
    def by_id(self) -> Mapping[str, Container]:
        return self._containers

    @property
    def inspected_at(self) -> Mapping[str, float]:
        return self._inspected_at

    @property
    def in_doubt(self) -> Mapping[str, float]:
        """Since when: of these the engine did not tell what it was asked for, listed or not."""
        return self._in_doubt

    def turn(self) -> int:
        """A number for what is asked for now."""
        self._turn += 1
        return self._turn

    def put(self, container_id: str, container: Container | None, turn: int, now: float) -> None:
        """What the engine tells of it, None for gone; ignored when something newer has been told."""
        self._in_doubt.pop(container_id, None)
        self._inspected_at[container_id] = now
        if turn < self._turns.get(container_id, 0):
            return
        self._turns[container_id] = turn
        before = self._containers.pop(container_id, None)
        if container is not None and not container.is_oneoff:
            self._containers[container_id] = container
        if before != self._containers.get(container_id):
            self._sorted = None

    def doubt(self, container_id: str, now: float) -> None:
        """The engine was asked for it and did not tell."""
        self._in_doubt.setdefault(container_id, now)

    def forget(self, turn: int, listed: Collection[str]) -> None:
        """Drop what is left of containers that are gone. ``listed``: all that the engine had at ``turn``."""
        known = self._containers
        self._turns = {key: at for key, at in self._turns.items() if key in known or at > turn}
        self._inspected_at = {key: at for key, at in self._inspected_at.items() if key in known}
        self._in_doubt = {key: since for key, since in self._in_doubt.items() if key in known or key in listed}

    def is_forgotten(self, container_id: str) -> bool:
        """Whether nothing of it has been told lately."""
        return container_id not in self._turns
