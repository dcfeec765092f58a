"""What a scenario is: a trap of Alertmanager's, how to set it, and how to tell whether the receiver fell into it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.conformance.judging import Judge
from tests.conformance.routes import PLAIN, Route
from tests.conformance.scene import Scene


class Stage(StrEnum):
    """Which Alertmanagers a scenario plays on. Those of one stage play at the same time, each on a route of its own.

    What happens to a whole Alertmanager has its own stage: a reload, too, flushes the groups of all routes.
    """

    ALONE = "one Alertmanager"
    RELOADED = "one Alertmanager that is reloaded"
    KILLED = "one Alertmanager that is killed"
    PAIR = "an HA pair"


@dataclass(frozen=True, slots=True)
class Scenario:
    """``trap``: in one line. ``source``: where it is known from. ``sends``: what the kit does, for the table.

    ``play`` does it and waits out the times in which nothing may happen; ``judge`` is pure. Names of ``workloads`` are
    unique in the kit.
    """

    name: str
    trap: str
    source: str
    sends: str
    workloads: tuple[str, ...]
    play: Callable[[Scene], Awaitable[None]]
    judge: Judge
    stage: Stage = Stage.ALONE
    route: Route = PLAIN
