"""More replicas of a compose service and back, on the real engine; what is left alone, and what is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.composed import ENABLED, REDIS, Composed, Scene, docker, remembered, remove, scene_of

from homeostat import settings as settings_module
from homeostat.errors import HomeostatError, NotSupported, Permanent, Temporary
from homeostat.steps import ScaleStep
from responder.actions.base import Applied, Skipped
from responder.actions.scale import Scale

pytestmark = pytest.mark.docker

STEP = ScaleStep(action="scale")
WEB = {**REDIS, "labels": ENABLED, "depends_on": ["db"]}


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """``web`` and the ``db`` that it depends on."""
    project = Composed(tmp_path)
    async with scene_of(project, tmp_path) as scene:
        project.up({"web": WEB, "db": REDIS})
        yield scene


async def scaled(scene: Scene, step: ScaleStep = STEP):
    """The memo of a step that was taken."""
    target = await scene.target("web")
    memo = await remembered(Scale(), step, target, scene.tools)
    assert isinstance(await Scale().apply(step, target, scene.tools), Applied)
    return memo


async def test_one_more_replica_and_back_to_the_one_that_was_there(scene: Scene):
    before, db = await scene.one("web"), await scene.one("db")
    target = await scene.target("web")
    memo = await remembered(Scale(), STEP, target, scene.tools)

    done = await Scale().apply(STEP, target, scene.tools)
    during = await scene.containers("web")
    undone = await Scale().undo(STEP, memo, scene.tools)
    after = await scene.containers("web")
    again = await Scale().undo(STEP, memo, scene.tools)

    name = scene.project.id("web")
    assert done == Applied(f"{name}: 2 replicas, before 1")
    assert [(each.id == before.id, each.status) for each in during] == [(True, "running"), (False, "running")]
    assert undone == f"{name}: 1 replicas again, after 2"
    assert [(each.id, each.started_at) for each in after] == [(before.id, before.started_at)]
    assert again == f"{name}: 1 replicas, nothing to put back"
    assert await scene.one("db") == db


async def test_never_more_than_allowed(scene: Scene):
    await scaled(scene, ScaleStep(action="scale", by=5, most=3))

    assert len(await scene.containers("web")) == 3
    full = await Scale().prepare(STEP, await scene.target("web"), scene.tools)
    assert full == Skipped("it has 3 replicas already, allowed are 3")


async def test_what_somebody_stopped_is_not_started_by_the_way(scene: Scene):
    scene.project.compose("up", "--detach", "--scale", "web=2")
    stopped = (await scene.containers("web"))[1]
    docker("stop", stopped.id)
    target = await scene.target("web")

    for answer in (await Scale().prepare(STEP, target, scene.tools), await Scale().apply(STEP, target, scene.tools)):
        assert answer == Skipped(f"{stopped.name} is exited, and docker compose would start it")
    assert [each.status for each in await scene.containers("web")] == ["running", "exited"]


async def test_another_number_that_somebody_set_meanwhile_is_left(scene: Scene):
    memo = await scaled(scene)
    scene.project.compose("up", "--detach", "--scale", "web=3")

    undone = await Scale().undo(STEP, memo, scene.tools)

    assert undone == f"{scene.project.id('web')}: somebody has set 3 replicas meanwhile: left as it is"
    assert len(await scene.containers("web")) == 3


async def test_a_service_that_somebody_deployed_anew_meanwhile_is_left(scene: Scene):
    memo = await scaled(scene)
    scene.project.compose("up", "--detach", "--force-recreate", "--scale", "web=2")

    undone = await Scale().undo(STEP, memo, scene.tools)

    assert undone == f"{scene.project.id('web')}: was made anew meanwhile, with 2 replicas: left as it is"
    assert len(await scene.containers("web")) == 2


async def test_putting_back_waits_while_the_first_does_not_run(scene: Scene):
    """Compose would start it, and somebody may have stopped it."""
    before = await scene.one("web")
    memo = await scaled(scene)
    docker("stop", before.id)

    with pytest.raises(Temporary, match=f"{before.name} is exited"):
        await Scale().undo(STEP, memo, scene.tools)
    assert [each.status for each in await scene.containers("web")] == ["exited", "running"]


async def test_what_a_responder_that_died_left_half_done_is_removed(scene: Scene):
    before = await scene.one("web")
    target = await scene.target("web")
    memo = await remembered(Scale(), ScaleStep(action="scale", by=2), target, scene.tools)
    scene.project.compose("up", "--no-start", "--no-recreate", "--scale", "web=2")
    assert [each.status for each in await scene.containers("web")] == ["running", "created"]

    await Scale().undo(STEP, memo, scene.tools)

    assert [each.id for each in await scene.containers("web")] == [before.id]


async def test_files_that_say_something_else_by_now_are_not_deployed(scene: Scene):
    name = (await scene.one("web")).name
    scene.project.write({"web": {**WEB, "environment": {"NEW": "1"}}, "db": REDIS})

    with pytest.raises(NotSupported, match=f"{name}: its files, variables or image are others now"):
        await Scale().prepare(STEP, await scene.target("web"), scene.tools)
    assert len(await scene.containers("web")) == 1


async def test_compose_that_fails_says_why_and_nothing_is_changed(scene: Scene):
    before, target = await scene.one("web"), await scene.target("web")
    scene.project.file.write_text("services: {web: {imag: x}}")

    with pytest.raises(Permanent, match=r"docker compose: validating .*compose\.yml: services\.web"):
        await Scale().apply(STEP, target, scene.tools)
    assert await scene.containers("web") == [before]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"container_name": "hs-act-only-one"}, r"a container name of its own \(hs-act-only-one\)"),
        ({"ports": ["127.0.0.1:28997:6379"]}, "takes port 28997 of the host"),
        ({"network_mode": "host", "command": ["sleep", "60"]}, r"no network of its own \(host\)"),
    ],
    ids=["name", "port", "network"],
)
async def test_a_service_that_there_can_be_only_one_of_is_told_before_anything_is_made(scene: Scene, more, words):
    scene.project.up({"web": {**WEB, "depends_on": [], **more}, "db": REDIS})

    with pytest.raises(NotSupported, match=words):
        await Scale().prepare(STEP, await scene.target("web"), scene.tools)
    assert len(await scene.containers("web")) == 1


async def test_a_port_that_the_engine_chooses_is_no_hindrance(scene: Scene):
    scene.project.up({"web": {**WEB, "ports": ["127.0.0.1::6379"]}, "db": REDIS})

    await scaled(scene)

    assert [each.status for each in await scene.containers("web")] == ["running", "running"]


async def test_a_container_that_compose_did_not_make_is_skipped(scene: Scene):
    name = f"{scene.project.name}-plain"
    docker("run", "--detach", "--name", name, "--label", "homeostat.enable=true", "redis:8.0")
    try:
        answer = await Scale().prepare(STEP, await scene.plain_target(name), scene.tools)
    finally:
        remove(name)

    assert answer == Skipped("not a service of docker compose")


async def test_files_that_others_can_write_are_used_only_when_homeostat_yml_names_them(scene: Scene):
    scene.project.file.chmod(0o666)
    target = await scene.target("web")

    with pytest.raises(NotSupported, match=r"compose\.yml: can be written by others.*docker\.compose\.hs-act-"):
        await Scale().prepare(STEP, target, scene.tools)
    data = {"docker": {"compose": {scene.project.name: {"files": ["compose.yml"]}}}}
    scene.settings = settings_module.build(data, {}, "test", base=scene.project.folder, environ={})
    await scaled(scene)
    assert len(await scene.containers("web")) == 2


async def test_without_docker_s_program_it_says_what_is_missing(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(HomeostatError, match="no docker program on PATH") as caught:
        await Scale().prepare(STEP, await scene.target("web"), scene.tools)
    assert isinstance(caught.value, NotSupported)
    monkeypatch.undo()
