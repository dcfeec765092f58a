"""Who reads a managed file, against what is in it: started while it was damaged, or looking at another file."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
from fakes.guardian import FakeProcess
from fakes.managed import BAD, Hands, managed
from structlog.testing import capture_logs

from exporters.configreaders import ROUND_S, ConfigReaders, Reader
from exporters.configwatch import STALE_S, ConfigWatch
from homeostat import enginejson
from homeostat.configfiles.spec import Rereads
from homeostat.containerinfo import Bind
from homeostat.errors import Unreachable
from homeostat.guardian_client import ProcessStatus

DAMAGED_S = 60.0


@pytest.fixture
def clock():
    """As the disk's, as far as that: spells begin with what files say themselves."""
    return Hands(0.0)


@dataclasses.dataclass
class Scene:
    """Readers of ``web.env``, asked for by hand."""

    clock: Hands
    watch: ConfigWatch
    folder: Path
    containers: list = dataclasses.field(default_factory=list)
    processes: list = dataclasses.field(default_factory=list)
    failure: Exception | None = None

    @property
    def path(self):
        return self.watch.files.spec("web").path

    async def answer(self, what):
        if self.failure is not None:
            raise self.failure
        return what

    def readers(self):
        return ConfigReaders(
            self.watch,
            self.clock,
            lambda: self.answer(self.containers),
            lambda: self.answer(self.processes),
            proc=self.folder / "proc",
        )

    async def found(self):
        """[(container or workload, is_outdated, is_stale)]"""
        readers = await self.readers()._round()
        return [(each.container or each.workload, each.is_outdated, each.is_stale) for each in readers]

    def judged(self):
        for _ in range(50):
            self.clock.advance(0.1)
            self.watch.round()

    def damage(self):
        """When it began, and when it had ended, by rounds before and after."""
        begun_at = self.clock.now()
        self.path.write_bytes(BAD)
        self.judged()
        self.clock.advance(DAMAGED_S - 5.0)
        self.watch.files.restore("web", "responder", "damaged")
        ended_at = self.clock.now()
        self.clock.advance(1.0)
        self.judged()
        return begun_at, ended_at

    def process(self, started_at, state="running", name="api"):
        return ProcessStatus(**FakeProcess(name, state=state, started_at=started_at).row())


@pytest.fixture
def scene(tmp_path, clock):
    return make_scene(tmp_path, clock)


def make_scene(tmp_path, clock, **spec):
    workloads = spec.pop("workloads", ("shop/web", "local/api"))
    scene = Scene(clock, ConfigWatch(managed(tmp_path, clock, workloads=workloads, **spec), clock), tmp_path)
    scene.watch.round()
    scene.judged()
    return scene


# --- Started while it was damaged


async def test_who_started_while_the_file_was_damaged_has_read_what_was_wrong(scene, make):
    begun_at, ended_at = scene.damage()
    scene.containers = [
        make("shop-web-1", started_at=begun_at - 10.0),
        make("shop-web-2", started_at=begun_at + 10.0),
        make("shop-web-3", started_at=ended_at + 10.0),
        make("shop-db-1", started_at=begun_at + 10.0),
    ]
    scene.processes = [scene.process(begun_at + 10.0), scene.process(begun_at + 10.0, name="other")]

    assert await scene.found() == [
        ("shop-web-1", False, None),
        ("shop-web-2", True, None),
        ("shop-web-3", False, None),
        ("local/api", True, None),
    ]


async def test_nobody_is_to_be_restarted_while_it_is_damaged_still_or_again(scene, make):
    begun_at, _ = scene.damage()
    scene.containers = [make("shop-web-1", started_at=begun_at + 10.0)]
    scene.path.write_bytes(BAD)
    scene.judged()

    assert await scene.found() == [("shop-web-1", None, None)]


async def test_a_file_that_was_never_damaged_has_no_outdated_readers(scene, make):
    scene.containers = [make("shop-web-1")]

    assert await scene.found() == [("shop-web-1", False, None)]


@pytest.mark.parametrize("state", ["stopped", "exited", "backoff"])
async def test_what_does_not_run_is_not_started_for_it(state, scene, make):
    begun_at, _ = scene.damage()
    scene.processes = [scene.process(begun_at + 10.0, state)]
    scene.containers = [make("shop-web-1", started_at=begun_at + 10.0, status="exited", pid=0)]

    assert await scene.found() == []


@pytest.mark.parametrize("rereads", [Rereads.ITSELF, Rereads.AT_CREATION])
async def test_who_reads_it_again_by_itself_or_cannot_by_a_restart_is_not_restarted(rereads, tmp_path, clock, make):
    scene = make_scene(tmp_path, clock, rereads=rereads)
    begun_at, _ = scene.damage()
    scene.containers = [make("shop-web-1", started_at=begun_at + 10.0)]

    assert await scene.found() == [("shop-web-1", None, None)]


async def test_before_the_file_was_judged_nothing_is_said(tmp_path, clock, make):
    scene = Scene(clock, ConfigWatch(managed(tmp_path, clock, workloads=("shop/web",)), clock), tmp_path)
    scene.containers = [make("shop-web-1")]

    assert await scene.found() == [("shop-web-1", None, None)]


# --- What a container sees


def seen_by(scene, pid, inside):
    """Where the container with this process sees ``inside``."""
    path = root_of(scene, pid) / inside.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def root_of(scene, pid):
    """A link, as the kernel has it."""
    (scene.folder / f"rootfs-{pid}").mkdir(exist_ok=True)
    root = scene.folder / "proc" / str(pid) / "root"
    root.parent.mkdir(parents=True, exist_ok=True)
    if not root.is_symlink():
        root.symlink_to(scene.folder / f"rootfs-{pid}")
    return root


def bound(make, scene, source, target, **values):
    return make("shop-web-1", pid=7, binds=(Bind(str(source), target),), **values)


async def stale(scene):
    [(_, _, is_stale)] = await scene.found()
    return is_stale


async def test_a_file_that_was_replaced_under_a_mount_of_its_own_is_stale(scene, make):
    os.link(scene.path, seen_by(scene, 7, "/app/.env"))  # the same file under another name, as a mount is
    scene.containers = [bound(make, scene, scene.path, "/app/.env")]
    before = await stale(scene)
    scene.watch.files.write({"web": b"A=3\nB=4\n"}, "cli", "set")

    assert (before, await stale(scene)) == (False, True)


async def test_a_file_in_a_mounted_folder_is_the_same_one(scene, make):
    os.link(scene.path, seen_by(scene, 7, "/etc/app/web.env"))
    scene.containers = [bound(make, scene, scene.folder, "/etc/app")]

    assert await stale(scene) is False


async def test_the_deepest_mount_counts(scene, make):
    os.link(scene.path, seen_by(scene, 7, "/one/.env"))
    binds = (Bind(str(scene.folder), "/all"), Bind(str(scene.path), "/one/.env"), Bind("/", "/host"))
    scene.containers = [make("shop-web-1", pid=7, binds=binds)]

    assert await stale(scene) is False


async def test_a_link_is_the_same_file_seen_as_a_link_or_as_what_it_leads_to(tmp_path, clock, make):
    (tmp_path / "real.env").write_bytes(b"A=1\n")
    (tmp_path / "web.env").symlink_to("real.env")
    scene = make_scene(tmp_path, clock)
    told = []
    for name in ("real.env", "web.env"):
        seen = seen_by(scene, 7, "/app/.env")
        os.link(tmp_path / name, seen, follow_symlinks=False)
        scene.containers = [bound(make, scene, scene.path, "/app/.env")]
        told.append(await stale(scene))
        seen.unlink()

    assert told == [False, False]


async def test_a_link_of_the_container_is_not_followed_into_the_host(scene, make):
    """It would be another file, and the answer a lie."""
    (outside := scene.folder / "outside").mkdir()
    (outside / ".env").write_text("of the host")
    (root_of(scene, 7) / "app").symlink_to(outside)
    scene.containers = [bound(make, scene, scene.path, "/app/.env")]

    assert await stale(scene) is None


@pytest.mark.parametrize("why", ["no mount", "no process", "not to be looked into", "gone"])
async def test_what_cannot_be_looked_at_says_nothing(why, scene, make):
    seen = seen_by(scene, 7, "/app/.env")
    if why == "not to be looked into":
        (scene.folder / "proc/7/root/app").rmdir()
        (scene.folder / "proc/7/root/app").write_text("no folder")
    elif why != "gone":
        os.link(scene.path, seen)
    container = bound(make, scene, scene.path, "/app/.env")
    changes = {"no mount": {"binds": ()}, "no process": {"pid": 0}}.get(why, {})
    scene.containers = [dataclasses.replace(container, **changes)]

    assert await stale(scene) is None


# --- Who cannot be asked


async def test_whoever_cannot_be_asked_has_no_readers_and_hides_no_others(scene, make):
    scene.failure = Unreachable("silent")

    assert await scene.found() == []

    scene.failure, scene.containers = None, [make("shop-web-1")]
    assert await scene.found() == [("shop-web-1", False, None)]


async def test_only_who_is_meant_is_asked(tmp_path, clock):
    asked = []

    async def ask(whom):
        asked.append(whom)
        return ()

    for workloads in (("shop/web",), ("local/api",)):
        watch = ConfigWatch(managed(tmp_path, clock, workloads=workloads), clock)
        await ConfigReaders(watch, clock, lambda: ask("engine"), lambda: ask("guardian"))._round()

    assert asked == ["engine", "guardian"]


class _OverError(Exception):
    """Enough rounds."""


async def test_rounds_go_on_whatever_happens_in_one(scene, make):
    readers, seen = scene.readers(), []
    scene.containers = [make("shop-web-1")]
    failures = [None, RuntimeError("a defect"), None]

    class Rounds(Hands):
        async def sleep(self, seconds):
            seen.append((seconds, len(readers.readers())))
            if len(seen) == len(failures):
                raise _OverError
            scene.failure = failures[len(seen)]

    readers.clock = Rounds()
    with capture_logs() as logs, pytest.raises(_OverError):
        await readers.run()

    assert seen == [(ROUND_S, 1), (ROUND_S, 0), (ROUND_S, 1)]
    assert [each["event"] for each in logs] == ["config.readers_failed"]


async def test_a_watch_that_stands_still_is_no_noise(scene, make):
    readers = scene.readers()
    readers._readers = (Reader("web", "shop/web", "shop-web-1"),)
    scene.clock.advance(STALE_S + 1.0)

    class Once(Hands):
        async def sleep(self, seconds):
            raise _OverError

    readers.clock = Once()
    with capture_logs() as logs, pytest.raises(_OverError):
        await readers.run()

    assert (readers.readers(), logs) == ((), [])


# --- What the engine tells of mounts


@pytest.mark.parametrize(
    ("mounts", "binds"),
    [
        (
            [
                {"Type": "bind", "Source": "/srv/web.env", "Destination": "/app/.env"},
                {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data", "Destination": "/data"},
                {"Type": "tmpfs", "Source": "", "Destination": "/tmp"},
            ],
            (Bind("/srv/web.env", "/app/.env"),),
        ),
        (None, ()),
        ("text", ()),
        ([None, 1, "text", {"Type": "bind"}, {"Type": "bind", "Source": 1, "Destination": []}], ()),
    ],
)
def test_files_and_folders_of_the_host_are_known_by_both_their_names(mounts, binds):
    raw = json.loads((Path(__file__).parents[2] / "data/docker/inspect.json").read_text())

    assert enginejson.container(raw | {"Mounts": mounts}).binds == binds
