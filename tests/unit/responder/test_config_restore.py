"""A damaged configuration file: put back only when it is still and still damaged, believed only when it is seen to be
good, and blamed for the troubles of those that read it.
"""

import math
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from fakes.containers import container
from fakes.managed import BAD, GOOD, OTHER, Hands, Judge, broken_schema, managed
from fakes.world import FINGERPRINT, World, WorldAction, WorldAlertmanager, WorldGuardian, WorldPrometheus
from prometheus_client import CollectorRegistry

from homeostat import names
from homeostat import settings as settings_module
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.integrity import State
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.versions import Origin
from homeostat.errors import NotFound, Temporary
from homeostat.guardian_client import GuardianClient
from homeostat.probes import ProbeContext
from homeostat.prometheus_api import Sample
from homeostat.settings import Settings
from homeostat.steps import ConfigRestoreStep
from homeostat.workloads import Kind, Workload
from responder.actions import ACTIONS
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.config_restore import ConfigRestore
from responder.evidence import ExpressionEvidence, StateEvidence
from responder.leases import Leased
from responder.ledger import Alert, EntryKind, Episode, Final, new_episode
from responder.metrics import Metrics
from responder.quiet import Quiet
from responder.recovery import Deferred, Recovery
from responder.services import Services
from responder.store_sqlite import SqliteStore
from responder.targets import Resolver, Target
from responder.verify import Quality

STEP = ConfigRestoreStep(action="config_restore")
WEB = Target(Workload("file/web", Kind.FILE, enabled=True), (), "")
NOWHERE = Path("/nowhere")
CORRUPT = {"alertname": "ConfigCorrupt", "workload": "file/web", "file": "web", "remedy": "config_restore"}


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def files(tmp_path: Path, clock: Hands) -> ConfigFiles:
    """One file with a good version."""
    files = managed(tmp_path, clock)
    files.accept("web", "cli", "right")
    return files


def path_of(files: ConfigFiles) -> Path:
    return files.spec("web").path


async def restore(files: ConfigFiles, clock: Hands, target: Target = WEB) -> Applied | Skipped:
    tools = Tools(None, GuardianClient(NOWHERE), Mock(), clock, Mock(), files=lambda: files)
    return await ConfigRestore().apply(STEP, target, tools)


# --- The step


async def test_the_last_good_version_is_put_back_and_what_was_there_is_kept(files: ConfigFiles, clock: Hands):
    path = path_of(files)
    path.chmod(0o640)
    files.accept("web", "cli", "of this mode")
    path.write_bytes(b"PASSWORD='hunter2\n")
    path.chmod(0o666)

    done = await restore(files, clock)

    found, restored = files.history("web")[-2:]
    assert done == Applied(
        f"version {restored.number} of web holds the last good content ({restored.digest[:12]}) again"
    )
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (GOOD, 0o640)
    assert (found.origin, files.content("web", found.number)) == (Origin.FOUND, b"PASSWORD='hunter2\n")
    assert (restored.origin, restored.who) == (Origin.RESTORED, "homeostat responder")
    assert restored.why.startswith("it was damaged: ")
    assert "lets others in" in restored.why
    assert "hunter2" not in restored.why + str(done)


@pytest.mark.parametrize(("now", "state"), [(GOOD, "good"), (OTHER, "changed")])
async def test_a_file_that_is_not_damaged_any_more_is_left_alone(
    now: bytes, state: str, files: ConfigFiles, clock: Hands
):
    """What a person has changed meanwhile is the person's."""
    path_of(files).write_bytes(now)

    assert await restore(files, clock) == Skipped(f"the file is {state} now")
    assert path_of(files).read_bytes() == now
    assert len(files.history("web")) == 1


async def test_what_is_no_file_of_ours_is_not_looked_at(files: ConfigFiles, clock: Hands):
    path_of(files).write_bytes(BAD)
    shop = Target(Workload("shop/web", Kind.CONTAINER, enabled=True), (container(),), "")

    assert await restore(files, clock, shop) == Skipped("is no configuration file")
    assert path_of(files).read_bytes() == BAD


@pytest.mark.parametrize("replaced_by", [None, os.mkfifo, os.mkdir], ids=["nothing", "pipe", "folder"])
async def test_a_file_that_is_gone_is_made_anew(replaced_by, files: ConfigFiles, clock: Hands):
    path = path_of(files)
    path.unlink()
    if replaced_by:
        replaced_by(path)

    assert isinstance(await restore(files, clock), Applied)
    assert path.read_bytes() == GOOD
    aside = [each for each in path.parent.iterdir() if "aside" in each.name]
    assert len(aside) == (1 if replaced_by else 0)


async def test_without_a_good_version_it_says_so_and_touches_nothing(tmp_path: Path, clock: Hands):
    files = managed(tmp_path, clock)
    path_of(files).write_bytes(BAD)

    with pytest.raises(FileRefused, match="no good version is kept"):
        await restore(files, clock)
    assert path_of(files).read_bytes() == BAD


async def test_a_file_that_is_not_managed_is_not_found(files: ConfigFiles, clock: Hands):
    with pytest.raises(NotFound, match="other: no such managed file; allowed: web"):
        await restore(files, clock, Target(Workload("file/other", Kind.FILE, enabled=True), (), ""))


async def test_by_a_schema_that_is_broken_nothing_is_judged_and_nothing_done(tmp_path: Path, clock: Hands):
    judge = Judge({})
    files = managed(tmp_path, clock, judge=judge)
    files.accept("web", "cli", "right")
    path_of(files).write_bytes(OTHER)
    judge.error = broken_schema()

    with pytest.raises(FileRefused, match="is no schema"):
        await restore(files, clock)
    assert path_of(files).read_bytes() == OTHER


async def test_of_a_thousand_flaws_a_few_are_told(tmp_path: Path, clock: Hands):
    keys = [f"K{number}=1\n" for number in range(1000)]
    (tmp_path / "web.env").write_text("".join(keys))
    (tmp_path / "example.env").write_text("".join(keys))
    files = managed(tmp_path, clock, example=tmp_path / "example.env")
    files.accept("web", "cli", "right")
    path_of(files).write_bytes(GOOD)

    await restore(files, clock)

    why = files.history("web")[-1].why
    assert why.startswith("it was damaged: K0 is in example.env")
    assert why.endswith("; and 995 more")
    assert why.count(";") < 20


# --- Somebody at work


class Busy(Hands):
    """Somebody does something to the file while it is waited; ``slept`` lists the waits."""

    def __init__(self, ahead_s: float, *acts: bytes | None) -> None:
        super().__init__(ahead_s)
        self.acts, self.slept, self.path = list(acts), [], NOWHERE

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.acts and (content := self.acts.pop(0)) is not None:
            self.path.write_bytes(content)
        await super().sleep(seconds)


def at_work(tmp_path: Path, ahead_s: float, *acts: bytes | None) -> tuple[ConfigFiles, Busy]:
    clock = Busy(ahead_s, *acts)
    files = managed(tmp_path, clock)
    files.accept("web", "cli", "right")
    clock.path = path_of(files)
    clock.path.write_bytes(BAD)
    return files, clock


async def test_a_file_that_was_changed_a_moment_ago_is_waited_for(tmp_path: Path):
    files, clock = at_work(tmp_path, 1.0)

    assert isinstance(await restore(files, clock), Applied)
    assert sum(clock.slept) == pytest.approx(2.0, abs=0.5)


async def test_who_mends_it_in_time_is_not_disturbed(tmp_path: Path):
    files, clock = at_work(tmp_path, 0.0, BAD + b"#", None, OTHER)

    assert await restore(files, clock) == Skipped("the file is changed now")
    assert path_of(files).read_bytes() == OTHER


async def test_who_goes_on_writing_is_not_written_over(tmp_path: Path):
    files, clock = at_work(tmp_path, -3600.0, *(BAD + b"#" * number for number in range(100)))
    begun = clock.monotonic()

    with pytest.raises(Temporary, match="web is being changed by somebody: it was not still for 3 s"):
        await restore(files, clock)
    assert path_of(files).read_bytes().startswith(BAD)
    assert clock.monotonic() - begun < STEP.timeout


async def test_a_clock_that_was_set_back_does_not_keep_it_from_being_put_back(tmp_path: Path):
    """Then the file was changed in the future, and only what is seen here counts."""
    files, clock = at_work(tmp_path, -86400.0)

    assert isinstance(await restore(files, clock), Applied)
    assert sum(clock.slept) == pytest.approx(3.0, abs=0.1)


# --- Target and evidence


def episode(**labels: str) -> Episode:
    return new_episode(Alert(FINGERPRINT, {**CORRUPT, **labels}, {}, 1.0, is_firing=True), 1, 1.0)


def resolver(files: ConfigFiles) -> Resolver:
    return Resolver(None, GuardianClient(NOWHERE), lambda: files)


async def test_a_managed_file_is_a_target_of_its_own(files: ConfigFiles):
    assert await resolver(files).resolve(episode(container="x"), Mock()) == WEB


async def test_a_file_that_is_not_managed_is_no_target(files: ConfigFiles):
    found = await resolver(files).resolve_or_problem(episode(workload="file/passwd"), Mock())

    assert isinstance(found, NotFound)
    assert str(found) == "passwd: no such managed file; allowed: web"


@pytest.mark.parametrize(
    ("content", "quality", "detail"),
    [
        (GOOD, Quality.GOOD, "good"),
        (OTHER, Quality.GOOD, "changed"),
        (b"", Quality.BAD, "is empty; allowed: settings, or a comment that says that there are none"),
        (None, Quality.BAD, "there is no file"),
    ],
)
async def test_the_file_is_looked_at_on_disk(content, quality, detail, files: ConfigFiles):
    path_of(files).write_bytes(content) if content is not None else path_of(files).unlink()

    [reading] = await StateEvidence(episode(), resolver(files), Mock()).read()

    assert (reading.source, reading.quality, reading.detail) == ("file web", quality, detail)


async def test_what_cannot_be_judged_is_neither_good_nor_bad(tmp_path: Path, clock: Hands):
    files = managed(tmp_path, clock, judge=Judge({}, broken_schema()))

    [reading] = await StateEvidence(episode(), resolver(files), Mock()).read()

    assert (reading.quality, reading.detail) == (Quality.NO_DATA, "schema.json: is no schema")


async def test_a_file_that_is_not_managed_any_more_is_not_seen_to_be_good(files: ConfigFiles):
    [reading] = await StateEvidence(episode(workload="file/other"), resolver(files), Mock()).read()

    assert reading.quality is Quality.BAD


@dataclass
class Measured:
    """As homeostat.prometheus_api.PrometheusClient: when files were measured last, and nothing found."""

    at: float | None

    async def alert_expression(self, _labels: Mapping[str, str]) -> str:
        return f"max by (workload, file) ({names.CONFIG_DAMAGED}) == 1"

    async def query(self, expression: str) -> list[Sample]:
        is_asked = f'timestamp({names.CONFIG_DAMAGED}{{workload="file/web"}})' in expression
        return [Sample({}, self.at)] if is_asked and self.at is not None else []


@pytest.mark.parametrize(("at", "quality"), [(101.0, Quality.GOOD), (99.0, Quality.NO_DATA), (None, Quality.NO_DATA)])
async def test_the_rule_is_believed_on_measurements_of_files(at: float | None, quality: Quality):
    [reading] = await ExpressionEvidence(episode(), Measured(at), 100.0).read()

    assert reading.quality is quality


# --- The whole recovery


@dataclass
class FileWorld(World):
    """What onlookers see of the files. ``sees_in_s``: how long the exporter takes to see what was put back;
    ``is_ended``: the alert, as Alertmanager has it.
    """

    files: ConfigFiles = field(default_factory=lambda: ConfigFiles({}, NOWHERE))
    sees_in_s: float = 4.0
    is_ended: bool = False
    good_since: float | None = None

    def is_damaged(self) -> bool:
        """As Prometheus has it."""
        if self.files.look("web").state is State.DAMAGED:
            self.good_since = None
            return True
        if self.good_since is None:
            self.good_since = self.clock.now()
        return self.clock.now() - self.good_since < self.sees_in_s

    @property
    def is_held(self) -> bool:
        return not self.is_ended


class FilePrometheus(WorldPrometheus):
    async def query(self, expression: str) -> list[Sample]:
        if expression == CORRUPT["alertname"]:
            return [Sample({"workload": "file/web", "file": "web"}, 1.0)] if self.world.is_damaged() else []
        return await super().query(expression)


class FileAlertmanager(WorldAlertmanager):
    async def held(self, *matchers: str):
        return [replace(alert, labels=CORRUPT) for alert in await super().held(*matchers)]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "responder.sqlite3")
    yield store
    await store.close()


def services(world: World, store: SqliteStore, settings: Settings, files: ConfigFiles) -> Services:
    guardian = WorldGuardian(world)
    about_files = isinstance(world, FileWorld)
    return Services(
        store=store,
        tools=Tools(None, guardian, Mock(), world.clock, lambda: settings, files=lambda: files),
        resolver=Resolver(None, guardian, lambda: files),
        alertmanager=FileAlertmanager(world) if about_files else WorldAlertmanager(world),
        prometheus=FilePrometheus(world) if about_files else _Independent(world),
        probes=ProbeContext(Mock(), world.clock),
        metrics=Metrics(CollectorRegistry()),
        brake=world.brake,
        quiet=Quiet(),
        clock=world.clock,
    )


async def capture(_target: object) -> Mapping[str, object]:
    return {}


async def drive(
    world: World, store: SqliteStore, settings: Settings, files: ConfigFiles, *, until_s: float = 7200.0
) -> Episode:
    """As the intake does, until it has ended or ``until_s`` are over."""
    end = world.clock.now() + until_s
    [episode] = await store.open_episodes()
    lease = store._leases.acquire(episode.workload, "test", math.inf, 0.0)
    while world.clock.now() < end:
        under = Leased(store, lease, world.clock)
        recovery = Recovery(services(world, store, settings, files), settings, under, capture)
        result = await recovery.advance(episode)
        if not isinstance(result, Deferred):
            return result
        world.clock.advance(result.delay_s)
    return await store.episode(episode.id)


async def opened(world: World, store: SqliteStore, labels: Mapping[str, str] = CORRUPT) -> None:
    await store.accept([Alert(FINGERPRINT, labels, {}, world.clock.now(), is_firing=True)], world.clock.now())


@pytest.fixture
def world(clock: Hands, files: ConfigFiles) -> FileWorld:
    return FileWorld(clock, files=files)


SETTINGS = settings_module.defaults(NOWHERE, {})


async def taken(store: SqliteStore, done: Episode) -> list[object]:
    return [entry.data["action"] for entry in await store.entries(done.id) if entry.kind is EntryKind.STARTED]


async def test_a_damaged_file_is_put_back_and_seen_to_be_good(world: FileWorld, store: SqliteStore, files: ConfigFiles):
    path_of(files).write_bytes(BAD)
    await opened(world, store)

    done = await drive(world, store, SETTINGS, files)

    assert (done.final, await taken(store, done)) == (Final.VERIFIED, ["config_restore"])
    assert path_of(files).read_bytes() == GOOD
    assert world.posted == []


async def test_it_is_not_believed_while_the_exporter_still_sees_damage(
    world: FileWorld, store: SqliteStore, files: ConfigFiles
):
    world.sees_in_s = math.inf
    path_of(files).write_bytes(BAD)
    await opened(world, store)

    done = await drive(world, store, SETTINGS, files)

    assert (done.final, await taken(store, done)) == (Final.ESCALATED, ["config_restore"])


async def test_nor_when_it_is_damaged_again_within_the_hold(
    world: FileWorld, store: SqliteStore, files: ConfigFiles, monkeypatch: pytest.MonkeyPatch
):
    """By a program that writes it again and again: repair that has to be repeated is no repair."""
    path = path_of(files)
    path.write_bytes(BAD)
    await opened(world, store)
    sleep = world.clock.sleep

    async def spoil(seconds: float) -> None:
        await sleep(seconds)
        if path.read_bytes() == GOOD and world.good_since and world.clock.now() - world.good_since > 5.0:
            path.write_bytes(BAD)

    monkeypatch.setattr(world.clock, "sleep", spoil)
    done = await drive(world, store, SETTINGS, files)

    assert (done.final, await taken(store, done)) == (Final.ESCALATED, ["config_restore"])


async def test_an_alert_about_a_file_that_is_not_damaged_does_nothing(
    world: FileWorld, store: SqliteStore, files: ConfigFiles
):
    """Forged, or old."""
    world.sees_in_s = 0.0
    path_of(files).write_bytes(OTHER)
    await opened(world, store)
    done = await drive(world, store, SETTINGS, files, until_s=60.0)

    assert await taken(store, done) == []
    assert path_of(files).read_bytes() == OTHER
    assert done.final is Final.SELF_RESOLVED


async def test_a_file_that_is_not_managed_any_more_is_for_people_while_it_is_told_of(
    world: FileWorld, store: SqliteStore, files: ConfigFiles
):
    path_of(files).write_bytes(BAD)
    await opened(world, store)
    done = await drive(world, store, SETTINGS, ConfigFiles({}, files.folder))

    assert (done.final, await taken(store, done)) == (Final.ESCALATED, [])
    assert done.reason == "unknown_workload: web: no such managed file; allowed: none is set"
    assert path_of(files).read_bytes() == BAD


async def test_and_it_is_over_with_its_alert(world: FileWorld, store: SqliteStore, files: ConfigFiles):
    world.is_ended = True
    path_of(files).write_bytes(BAD)
    await opened(world, store)
    done = await drive(world, store, SETTINGS, ConfigFiles({}, files.folder))

    assert (done.final, done.reason) == (Final.SELF_RESOLVED, "the alert ended; its workload is no longer there")


# --- Who is to blame


class _Independent(WorldPrometheus):
    """Nobody needs anybody, as far as Prometheus knows; ``sick_needs`` are files that are damaged."""

    async def query(self, expression: str) -> list[Sample]:
        return [] if expression == names.WORKLOAD_DEPENDENCY_INFO else await super().query(expression)


DOWN = {"alertname": "WorkloadDown", "workload": "local/api", "remedy": "down"}


def reading(*workloads: str) -> Settings:
    data = {
        "processes": {"api": {"command": ["api"]}, "other": {"command": ["other"]}},
        "workloads": {"local/api": {"enable": True, "start_grace": "0s"}},
        "config_files": {"web": {"path": "web.env", "workloads": list(workloads)}},
    }
    return settings_module.build(data, {}, "test", base=NOWHERE, environ={})


@pytest.fixture
def down(clock: Hands, monkeypatch: pytest.MonkeyPatch) -> World:
    """A process that its file has brought down."""
    world = World(clock, cures=frozenset({"restart"}), sick_needs=("file/web",))
    monkeypatch.setitem(ACTIONS, "restart", WorldAction(world, "restart"))
    return world


async def test_a_workload_is_not_restarted_before_its_file_is_good_again(
    down: World, store: SqliteStore, files: ConfigFiles
):
    await opened(down, store, DOWN)
    waiting = await drive(down, store, reading("local/api"), files, until_s=60.0)
    before = list(down.taken)
    entries = await store.entries(waiting.id)

    down.sick_needs = ()
    done = await drive(down, store, reading("local/api"), files)

    assert before == []
    [refusal] = [entry.data for entry in entries if entry.kind is EntryKind.WAITING]
    assert (refusal["reason"], refusal["detail"]) == (
        "dependency",
        "it needs file/web, in trouble too: that comes first",
    )
    assert (done.final, down.taken) == (Final.VERIFIED, ["restart"])


async def test_people_hear_of_a_file_that_stays_damaged(down: World, store: SqliteStore, files: ConfigFiles):
    await opened(down, store, DOWN)

    done = await drive(down, store, reading("local/api"), files)

    assert (done.final, down.taken) == (Final.ESCALATED, [])
    assert done.reason.startswith("dependency: it needs file/web")


@pytest.mark.parametrize("readers", [("local/other",), ()])
async def test_who_does_not_read_it_is_restarted(
    readers: tuple[str, ...], down: World, store: SqliteStore, files: ConfigFiles
):
    await opened(down, store, DOWN)

    done = await drive(down, store, reading(*readers), files)

    assert (done.final, down.taken) == (Final.VERIFIED, ["restart"])
