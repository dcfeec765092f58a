"""A workload and those that depend on it, restarted in order on the real engine; and those that are left alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.composed import ENABLED, REDIS, Composed, Scene, docker, scene_of
from fakes.guardian import FakeGuardian

from homeostat import settings as settings_module
from homeostat.directory import describe
from homeostat.errors import Permanent
from homeostat.steps import RestartStackStep
from responder.actions.base import Applied, Skipped
from responder.actions.restart_stack import RestartStack
from responder.targets import Target

pytestmark = pytest.mark.docker

NEAR, FAR = (RestartStackStep(action="restart_stack", depth=depth, grace=1.0, timeout=60.0) for depth in (1, 2))
HURRIED = RestartStackStep(action="restart_stack", grace=1.0, timeout=12.0)
#: Says that it is well a good second after its start.
SLOW = {
    "image": "python:3.13-slim",
    "command": ["sh", "-c", "rm -f /tmp/well; sleep 1.2; touch /tmp/well; exec sleep 3600"],
    "stop_signal": "SIGKILL",
    "healthcheck": {"test": ["CMD", "test", "-e", "/tmp/well"], "interval": "100ms", "retries": 100},
}


def service(*needed: str, **labels: str):
    return {**REDIS, "labels": {**ENABLED, **{f"homeostat.{key}": value for key, value in labels.items()}}} | (
        {"depends_on": list(needed)} if needed else {}
    )


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    project = Composed(tmp_path)
    async with scene_of(project, tmp_path) as scene:
        yield scene


async def restart(scene: Scene, step: RestartStackStep, name: str = "db") -> Applied | Skipped:
    return await RestartStack().apply(step, await scene.target(name), scene.tools)


async def starts(scene: Scene) -> dict[str, float | None]:
    """Service -> when it was started."""
    found = await scene.engine.list()
    return {
        each.workload_id.partition("/")[2]: each.started_at
        for each in found
        if each.workload_id.startswith(f"{scene.project.name}/")
    }


async def test_dependents_follow_in_order_and_only_as_far_as_asked(scene: Scene):
    services = {
        "db": service(),
        "cache": service("db"),
        "web": service("db", "cache"),  # near, but after cache
        "report": service("web"),
        "other": service(),
    }
    scene.project.up(services)
    before = await starts(scene)
    near = await restart(scene, NEAR)
    after = await starts(scene)
    far = await restart(scene, FAR)
    last = await starts(scene)

    db, cache, web, report = map(scene.project.id, ("db", "cache", "web", "report"))
    assert near == Applied(f"restarted {db}, then {cache}, then {web}")
    assert {name for name in services if after[name] != before[name]} == {"db", "cache", "web"}
    assert after["db"] < after["cache"] < after["web"]
    assert far == Applied(f"restarted {db}, then {cache}, then {web}, then {report}")
    assert last["web"] < last["report"]
    assert last["other"] == before["other"]


async def test_hands_are_kept_off_those_whose_owners_want_it_and_what_only_they_lead_to(scene: Scene):
    services = {
        "db": service(),
        "web": service("db"),
        "held": service("db", hold="true"),
        "off": {**service("db"), "labels": {}},
        "wrong": service("db", hold="perhaps"),
        "stopped": service("db"),
        "paused": service("db"),
        "behind": service("held"),
    }
    scene.project.up(services)
    docker("stop", (await scene.one("stopped")).id)
    docker("pause", (await scene.one("paused")).id)
    before = await starts(scene)

    done = await restart(scene, FAR)
    after = await starts(scene)

    left = {"held": "on hold", "off": "not enabled", "paused": "paused", "stopped": "exited"}
    words = ", ".join(f"{scene.project.id(name)} ({reason})" for name, reason in left.items())
    assert done == Applied(f"restarted {scene.project.id('db')}, then {scene.project.id('web')}; left out: {words}")
    assert {name for name in services if after[name] != before[name]} == {"db", "web"}
    assert (await scene.one("stopped")).status == "exited"
    assert (await scene.one("paused")).status == "paused"


async def test_operators_may_have_said_so_in_a_file_or_by_a_time(scene: Scene, tmp_path: Path):
    scene.project.up({"db": service(), "web": service("db"), "held": service("db"), "tended": service("db")})
    (tmp_path / "hold").write_text(f"{scene.project.id('held')}\n")
    halves = [("00:00", "12:00"), ("12:00", "00:00")]
    windows = [{"workloads": [scene.project.id("tended")], "start": start, "end": end} for start, end in halves]
    data = {"responder": {"hold_file": "hold", "maintenance": windows}}
    scene.settings = settings_module.build(data, {}, "test", base=tmp_path, environ={})

    done = await restart(scene, NEAR)

    left = f"{scene.project.id('held')} (on hold), {scene.project.id('tended')} (in maintenance)"
    assert done == Applied(f"restarted {scene.project.id('db')}, then {scene.project.id('web')}; left out: {left}")


async def test_a_stopped_replica_and_an_errand_stay_as_they_are(scene: Scene):
    scene.project.up({"db": service(), "web": service("db")})
    scene.project.compose("up", "--detach", "--scale", "web=2")
    first, second = await scene.containers("web")
    docker("stop", second.id)
    scene.project.compose("run", "--detach", "--no-deps", "--name", f"{scene.project.name}-errand", "web")
    errand = await scene.engine.inspect(f"{scene.project.name}-errand")

    done = await restart(scene, NEAR)

    restarted, still = await scene.containers("web")
    assert restarted.started_at != first.started_at
    assert still.status == "exited"
    assert isinstance(done, Applied)
    assert done.detail.endswith(f"; left out: {second.name} (exited)")
    assert (await scene.engine.inspect(errand.id)).started_at == errand.started_at


async def test_a_dependent_waits_until_what_it_needs_is_well_again(scene: Scene):
    scene.project.up({"db": {**service(), **SLOW}, "web": service("db")})

    done = await restart(scene, NEAR)
    after = await starts(scene)

    assert done == Applied(f"restarted {scene.project.id('db')}, then {scene.project.id('web')}")
    assert after["web"] - after["db"] > 1.2
    assert (await scene.one("db")).health == "healthy"


async def test_it_does_not_wait_for_ever(scene: Scene):
    never = {"test": ["CMD", "false"], "interval": "100ms", "retries": 1000}
    scene.project.up({"db": {**service(), **SLOW, "healthcheck": never}, "web": service("db")})
    before = await starts(scene)

    done = await restart(scene, HURRIED)
    after = await starts(scene)

    db, web = scene.project.id("db"), scene.project.id("web")
    assert done == Applied(f"restarted {db} ({db} not well after 6 s), then {web}")
    assert after["web"] != before["web"]
    assert after["web"] - after["db"] < 10


async def test_one_that_had_ended_is_waited_for_as_well(scene: Scene):
    """Its own probe has to answer, at the address that it has then."""
    labels = {**ENABLED, "homeostat.probe.http": ":8080/", "homeostat.probe.timeout": "500ms"}
    late = {
        "image": "python:3.13-slim",
        "command": ["sh", "-c", "sleep 1; exec python -m http.server 8080"],
        "stop_signal": "SIGKILL",
    }
    scene.project.up({"db": {**late, "labels": labels}, "web": service("db")})
    docker("kill", (await scene.one("db")).id)

    done = await restart(scene, NEAR)
    after = await starts(scene)

    assert done == Applied(f"restarted {scene.project.id('db')}, then {scene.project.id('web')}")
    assert after["web"] - after["db"] > 1


async def test_a_circle_ends(scene: Scene):
    scene.project.up({"db": service(), "web": service("db")})
    workloads = {scene.project.id("db"): {"enable": True, "depends_on": [scene.project.id("web")]}}
    scene.settings = settings_module.build({"workloads": workloads}, {}, "test", base=Path("/nowhere"), environ={})

    done = await restart(scene, FAR)

    assert done == Applied(f"restarted {scene.project.id('db')}, then {scene.project.id('web')}")


async def test_processes_of_the_guardian_are_workloads_too(scene: Scene, tmp_path: Path):
    scene.project.up({"db": service(), "web": service("db")})
    db = scene.project.id("db")
    data = {
        "processes": {name: {"command": ["api"]} for name in ("api", "stopped", "unknown")},
        "workloads": {f"local/{name}": {"enable": True, "depends_on": [db]} for name in ("api", "stopped", "unknown")},
    }
    scene.settings = settings_module.build(data, {}, "test", base=tmp_path, environ={})
    guardian = FakeGuardian("api", "stopped")
    guardian.processes["stopped"].state = "stopped"
    await guardian.start(scene.tools.guardian.socket)
    try:
        done = await restart(scene, NEAR)
    finally:
        await guardian.stop()

    assert guardian.calls == ["api"]
    left = "local/stopped (stopped), local/unknown (the guardian does not know it)"
    assert done == Applied(f"restarted {db}, then {scene.project.id('web')}, local/api; left out: {left}")


async def test_a_process_may_be_what_others_depend_on(scene: Scene, tmp_path: Path):
    scene.project.up({"web": service(), "db": service()})
    web = scene.project.id("web")
    data = {
        "processes": {"api": {"command": ["api"]}},
        "workloads": {"local/api": {"enable": True}, web: {"enable": True, "depends_on": ["local/api"]}},
    }
    scene.settings = settings_module.build(data, {}, "test", base=tmp_path, environ={})
    guardian = FakeGuardian("api")
    await guardian.start(scene.tools.guardian.socket)
    before = await starts(scene)
    try:
        target = Target(describe("local/api", (), scene.settings), (), "api")
        done = await RestartStack().apply(NEAR, target, scene.tools)
    finally:
        await guardian.stop()
    after = await starts(scene)

    assert guardian.calls == ["api"]
    assert done == Applied(f"restarted local/api, then {web}")
    assert (after["web"] != before["web"], after["db"] == before["db"]) == (True, True)


async def test_one_that_cannot_be_restarted_does_not_keep_the_others_from_it(scene: Scene, tmp_path: Path):
    (tmp_path / "run.sh").write_text("exec sleep 3600")
    mount = {
        "type": "bind",
        "source": str(tmp_path / "run.sh"),
        "target": "/run.sh",
        "bind": {"create_host_path": False},
    }
    broken = {**service("db"), "image": "python:3.13-slim", "command": ["sh", "/run.sh"], "stop_signal": "SIGKILL"}
    scene.project.up({"db": service(), "broken": {**broken, "volumes": [mount]}, "web": service("db")})
    (tmp_path / "run.sh").unlink()
    before = await starts(scene)

    with pytest.raises(Permanent, match=r"^restarted \S+/db, then .*/broken could not be restarted: .*run\.sh"):
        await restart(scene, NEAR)
    after = await starts(scene)
    assert after["web"] != before["web"]


async def test_when_it_cannot_be_restarted_itself_nobody_else_is(scene: Scene):
    scene.project.up({"db": service(), "web": service("db")})
    target = await scene.target("db")
    docker("rm", "--force", target.containers[0].id)
    before = await starts(scene)

    with pytest.raises(Permanent, match="No such container"):
        await RestartStack().apply(NEAR, target, scene.tools)
    assert await starts(scene) == before


async def test_nobody_to_restart_besides_is_skipped(scene: Scene):
    scene.project.up({"db": service(), "off": {**service("db"), "labels": {}}, "web": service()})
    before = await starts(scene)

    assert await restart(scene, NEAR, "web") == Skipped("no dependent to restart: on its own, restart is for it")
    left = f"left out: {scene.project.id('off')} (not enabled)"
    assert await restart(scene, NEAR) == Skipped(f"no dependent to restart: on its own, restart is for it; {left}")
    assert await starts(scene) == before
