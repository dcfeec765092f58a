"""A compose service made anew on the real engine: with what shares its network, from the same image and files only."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.composed import ENABLED, REDIS, Composed, Scene, docker, remove, scene_of

from homeostat.containers import Container
from homeostat.errors import NotSupported, Permanent
from homeostat.steps import RecreateStep
from homeostat.workloads import Kind, Workload
from responder.actions.base import Applied, Skipped
from responder.actions.recreate import Recreate
from responder.targets import Target

pytestmark = pytest.mark.docker

STEP = RecreateStep(action="recreate")
SLEEP = {"image": "python:3.13-slim", "command": ["sleep", "3600"], "stop_signal": "SIGKILL"}
WEB = {**REDIS, "labels": ENABLED, "depends_on": ["db"]}
IN_WEB = {**SLEEP, "network_mode": "service:web"}


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    project = Composed(tmp_path)
    async with scene_of(project, tmp_path) as scene:
        yield scene


async def recreate(scene: Scene, service: str = "web") -> Applied | Skipped:
    return await Recreate().apply(STEP, await scene.target(service), scene.tools)


def can_reach_web(container: Container) -> bool:
    """Whether it shares a network with something that listens on Redis's port."""
    ask = "import socket; socket.create_connection(('127.0.0.1', 6379), 2); print('yes')"
    return docker("exec", container.id, "python", "-c", ask) == "yes"


async def test_it_and_what_lives_in_its_network_are_made_anew_and_nothing_else(scene: Scene):
    side, held = {**IN_WEB, "labels": ENABLED}, {**IN_WEB, "labels": {**ENABLED, "homeostat.hold": "true"}}
    scene.project.up({"web": WEB, "db": REDIS, "side": side, "held": held, "foreign": IN_WEB})
    services = ("web", "side", "held", "foreign", "db")
    before = {service: await scene.one(service) for service in services}

    done = await recreate(scene)
    after = {service: await scene.one(service) for service in services}

    assert {service for service in services if after[service].id != before[service].id} == {"web", "side"}
    assert {
        service: (each.id, each.started_at) for service, each in after.items() if service not in ("web", "side")
    } == {service: (each.id, each.started_at) for service, each in before.items() if service not in ("web", "side")}
    assert after["side"].network_mode == f"container:{after['web'].id}"
    assert can_reach_web(after["side"])
    web, side_name = before["web"].name, before["side"].name
    left = f"{before['foreign'].name} (not enabled), {before['held'].name} (on hold)"
    assert done == Applied(
        f"made anew: {web}, then in its network: {side_name};"
        f" left without a network until somebody makes it anew: {left}"
    )


async def test_it_is_as_compose_itself_would_make_it(scene: Scene):
    """Else homeostat would no longer know what it depends on, and the next `docker compose up` would make it anew."""
    scene.project.up({"web": WEB, "db": REDIS})
    before = await scene.one("web")
    await recreate(scene)
    made = await scene.one("web")
    scene.project.compose("up", "--detach")

    assert made.depends_on == (scene.project.id("db"),)
    assert made.id != before.id
    assert await scene.one("web") == made


async def test_what_it_depends_on_is_not_started_when_somebody_has_stopped_it(scene: Scene):
    scene.project.up({"web": WEB, "db": REDIS})
    docker("stop", (await scene.one("db")).id)
    before = await scene.one("web")

    done = await recreate(scene)
    again = await recreate(scene)

    made = await scene.one("web")
    lost = f"made with --no-deps, to touch no others: {scene.project.id('web')}, which has no depends_on label now"
    assert done == again == Applied(f"made anew: {before.name}; {lost}")
    assert made.id != before.id
    assert made.status == "running"
    assert (await scene.one("db")).status == "exited"


async def test_it_does_not_wait_for_what_it_depends_on_to_be_healthy(scene: Scene):
    """Compose would make it anew and then not start it."""
    check = {"test": ["CMD", "test", "-e", "/tmp/well"], "interval": "300ms", "retries": 1, "start_period": "0s"}
    web = {**WEB, "depends_on": {"db": {"condition": "service_healthy"}}}
    scene.project.write({"web": web, "db": {**REDIS, "healthcheck": check}})
    scene.project.compose("up", "--detach", "db")
    db = await scene.one("db")
    docker("exec", db.id, "touch", "/tmp/well")
    scene.project.compose("up", "--detach", "web")
    docker("exec", db.id, "rm", "/tmp/well")
    while (await scene.one("db")).health != "unhealthy":
        pass

    await recreate(scene)

    assert (await scene.one("web")).status == "running"


async def test_as_many_replicas_as_before(scene: Scene):
    scene.project.up({"web": WEB, "db": REDIS})
    scene.project.compose("up", "--detach", "--scale", "web=2")
    before = {each.id for each in await scene.containers("web")}

    await recreate(scene)

    after = await scene.containers("web")
    assert [each.status for each in after] == ["running", "running"]
    assert not before & {each.id for each in after}


async def test_one_that_has_crashed_is_made_anew(scene: Scene):
    scene.project.up({"web": {**WEB, "command": ["sh", "-c", "exit 7"]}, "db": REDIS})
    before = await scene.one("web")

    assert isinstance(await recreate(scene), Applied)

    assert (await scene.one("web")).id != before.id


async def test_a_replica_that_somebody_stopped_is_not_started_by_the_way(scene: Scene):
    scene.project.up({"web": WEB, "db": REDIS})
    scene.project.compose("up", "--detach", "--scale", "web=2")
    before = await scene.containers("web")
    docker("stop", before[1].id)

    done = await recreate(scene)

    assert done == Skipped(f"{before[1].name} is exited, and docker compose would start it")
    assert [each.id for each in await scene.containers("web")] == [each.id for each in before]


@pytest.mark.parametrize("changed", ["web", "side"])
async def test_files_that_say_something_else_by_now_are_not_deployed(scene: Scene, changed: str):
    services = {"web": WEB, "db": REDIS, "side": {**IN_WEB, "labels": ENABLED}}
    scene.project.up(services)
    before = [await scene.one(service) for service in services]
    scene.project.write(services | {changed: {**services[changed], "environment": {"NEW": "1"}}})

    with pytest.raises(
        NotSupported, match=f"{scene.project.name}-{changed}-1: its files, variables or image are others"
    ):
        await recreate(scene)
    assert [await scene.one(service) for service in services] == before


async def test_another_image_of_the_same_name_is_not_deployed(scene: Scene):
    tag = f"{scene.project.name}:1"
    docker("tag", "redis:8.0", tag)
    try:
        scene.project.up({"web": {**WEB, "image": tag}, "db": REDIS})
        before = await scene.one("web")
        docker("tag", "python:3.13-slim", tag)

        with pytest.raises(NotSupported, match="its files, variables or image are others"):
            await recreate(scene)
        assert await scene.one("web") == before
    finally:
        scene.project.down()
        docker("rmi", tag)


async def test_what_fails_half_way_says_what_was_done(scene: Scene, tmp_path: Path):
    """The side's file is gone by the time: its container cannot be started."""
    (tmp_path / "run.sh").write_text("exec sleep 3600")
    side = {**IN_WEB, "labels": ENABLED, "command": ["sh", "/run.sh"]}
    mount = {
        "type": "bind",
        "source": str(tmp_path / "run.sh"),
        "target": "/run.sh",
        "bind": {"create_host_path": False},
    }
    scene.project.up({"web": WEB, "db": REDIS, "side": {**side, "volumes": [mount]}})
    (tmp_path / "run.sh").unlink()
    before = await scene.one("web")

    with pytest.raises(Permanent, match=f"/side: docker compose: .*run.sh.*made anew: {before.name}"):
        await recreate(scene)
    assert (await scene.one("web")).id != before.id


async def test_what_compose_did_not_make_is_skipped(scene: Scene):
    name = f"{scene.project.name}-plain"
    docker("run", "--detach", "--name", name, "redis:8.0")
    try:
        plain = await Recreate().apply(STEP, await scene.plain_target(name), scene.tools)
    finally:
        remove(name)
    process = await Recreate().apply(STEP, Target(Workload("local/api", Kind.PROCESS), (), "api"), scene.tools)

    assert plain == process == Skipped("not a service of docker compose")


async def test_a_container_of_an_operator_in_its_network_is_no_hindrance(scene: Scene):
    scene.project.up({"web": WEB, "db": REDIS})
    name = f"{scene.project.name}-debug"
    web = await scene.one("web")
    docker(
        "run",
        "--detach",
        "--name",
        name,
        "--network",
        f"container:{web.name}",
        "python:3.13-slim",
        "sleep",
        "60",
    )
    try:
        done = await recreate(scene)
    finally:
        remove(name)

    assert isinstance(done, Applied)
    assert done.detail.endswith(f"makes it anew: {name} (not a service of docker compose)")


async def test_environment_files_that_compose_was_given_are_given_again(scene: Scene, tmp_path: Path):
    """And a service of a profile that nobody has switched on is reached all the same."""
    (tmp_path / "first.env").write_text("MARK=one\n")
    (tmp_path / "second.env").write_text("MARK=two\n")
    scene.project.write({"web": {**REDIS, "profiles": ["extra"], "environment": {"MARK": "${MARK}"}}})
    files = ("--env-file", str(tmp_path / "first.env"), "--env-file", str(tmp_path / "second.env"))
    scene.project.compose(*files, "up", "--detach", "web")
    before = await scene.one("web")

    await recreate(scene)

    made = await scene.one("web")
    assert made.id != before.id
    assert "MARK=two" in docker("inspect", "--format", "{{.Config.Env}}", made.id)
