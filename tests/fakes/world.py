"""A small world in virtual time: one process that is sick until something cures it, and what its onlookers see.

Alertmanager goes on holding the alert for a while after the cure, as the real one does.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fakes.clock import FakeClock
from fakes.guardian import FakeProcess

from homeostat import names
from homeostat.alertmanager_api import AlertState, HeldAlert, PostedAlert
from homeostat.configfiles.managed import ConfigFiles
from homeostat.errors import HomeostatError, NotFound, Unreachable
from homeostat.guardian_client import ProcessStatus
from homeostat.prometheus_api import Sample
from homeostat.steps import Step
from responder.actions.base import Applied, Skipped
from responder.brake import Brake
from responder.ledger import Alert

LINGER_S = 20.0
LABELS = {"alertname": "WorkloadDown", "workload": "local/api", "remedy": "test"}
FINGERPRINT = "a" * 16


def no_files() -> ConfigFiles:
    """Where none is managed."""
    return ConfigFiles({}, Path("/nowhere"))


@dataclass
class World:
    """``cures``: actions that help. ``taken``: what was done to the process, in order."""

    clock: FakeClock
    cures: frozenset[str] = frozenset()
    is_sick: bool = True
    well_since: float = 0.0
    started_at: float = 1.0
    taken: list[str] = field(default_factory=list)
    failing: Mapping[str, HomeostatError] = field(default_factory=dict)
    skipping: frozenset[str] = frozenset()
    alert_state: AlertState = AlertState.ACTIVE
    #: When Prometheus last told of the alert; None for now.
    told_at: float | None = None
    forgotten: bool = False
    alertmanager_down: bool = False
    prometheus_down: bool = False
    #: A step takes Prometheus down with it.
    blinds: bool = False
    process_known: bool = True
    posted: list[PostedAlert] = field(default_factory=list)
    brake: Brake = field(default_factory=Brake)
    #: Of the workloads that it needs, those that are unhealthy; of the files that it reads, those that are damaged.
    sick_needs: tuple[str, ...] = ()
    #: What a condition's expression gives; None for no sample.
    conditions: dict[str, float | None] = field(default_factory=dict)

    def act(self, name: str) -> None:
        self.taken.append(name)
        self.prometheus_down |= self.blinds
        if name in self.cures:
            self.recover()
        if name in self.failing:
            raise self.failing[name]

    def recover(self) -> None:
        self.is_sick = False
        self.well_since = self.clock.now()
        self.started_at = self.clock.now()

    @property
    def alert(self) -> Alert:
        return Alert(FINGERPRINT, LABELS, {}, self.clock.now(), is_firing=True)

    @property
    def is_held(self) -> bool:
        lingers = self.clock.now() - self.well_since < LINGER_S
        return (self.is_sick or lingers) and not self.forgotten


@dataclass
class WorldAction:
    """responder.actions.base.Action."""

    world: World
    name: str

    async def apply(self, step: Step, target: object, tools: object) -> Applied | Skipped:
        if self.name in self.world.skipping:
            return Skipped("does not fit")
        self.world.act(self.name)
        return Applied("done")


@dataclass
class WorldTeller(WorldAction):
    """The same that tells something, too."""

    subjects: Mapping[str, object] = field(default_factory=dict)

    async def apply(self, step: Step, target: object, tools: object) -> Applied | Skipped:
        self.world.act(self.name)
        return Applied("told", {"subjects": self.subjects})


@dataclass
class WorldMeasure(WorldAction):
    """The same with an effect that can be put back: responder.actions.base.Undoable and Renewable."""

    async def prepare(self, step: Step, target: object, tools: object) -> Mapping[str, object] | Skipped:
        return Skipped("has none") if self.name in self.world.skipping else {"before": 1}

    async def undo(self, step: Step, memo: Mapping[str, object], tools: object) -> str:
        assert memo == {"before": 1}
        self.world.act(f"undo {self.name}")
        return "put back"

    async def renew(self, step: Step, memo: Mapping[str, object], tools: object) -> None:
        assert memo == {"before": 1}
        self.world.act(f"renew {self.name}")


@dataclass
class WorldAlertmanager:
    """As homeostat.alertmanager_api.AlertmanagerClient."""

    world: World

    async def held(self, *matchers: str) -> list[HeldAlert]:
        world = self.world
        if world.alertmanager_down:
            raise Unreachable("Alertmanager does not answer")
        if not world.is_held:
            return []
        muted = "silence x" if world.alert_state is AlertState.SUPPRESSED else ""
        return [HeldAlert(FINGERPRINT, LABELS, {}, 1.0, world.told_at or world.clock.now(), world.alert_state, muted)]

    async def held_in_pages(self, *matchers: str) -> AsyncIterator[list[HeldAlert]]:
        yield await self.held(*matchers)

    async def post(self, alerts: Sequence[PostedAlert]) -> None:
        if self.world.alertmanager_down:
            raise Unreachable("Alertmanager does not answer")
        self.world.posted.extend(alerts)


@dataclass
class WorldPrometheus:
    """As homeostat.prometheus_api.PrometheusClient."""

    world: World

    async def alert_expression(self, labels: Mapping[str, str]) -> str:
        return labels["alertname"]

    async def query(self, expression: str) -> list[Sample]:
        if self.world.prometheus_down:
            raise Unreachable("Prometheus does not answer")
        if expression == names.WORKLOAD_DEPENDENCY_INFO:
            return [Sample({"workload": "local/api", "dependency": need}, 1.0) for need in self.world.sick_needs]
        if names.WORKLOAD_HEALTH in expression and names.CONFIG_DAMAGED in expression:
            return [Sample({"workload": need}, 1.0) for need in self.world.sick_needs]
        if expression in self.world.conditions:
            value = self.world.conditions[expression]
            return [] if value is None else [Sample({}, value)]
        if "timestamp" in expression:
            return [Sample({}, self.world.clock.now())]
        return [Sample({"workload": "local/api"}, 1.0)] if self.world.is_sick else []


@dataclass
class WorldGuardian:
    """As homeostat.guardian_client.GuardianClient."""

    world: World

    async def processes(self) -> list[ProcessStatus]:
        if not self.world.process_known:
            return []
        status = FakeProcess("api", started_at=self.world.started_at)
        return [ProcessStatus(**status.row())]

    async def process(self, name: str) -> ProcessStatus:
        for status in await self.processes():
            if status.name == name:
                return status
        raise NotFound(f"the guardian has no process {name}")
