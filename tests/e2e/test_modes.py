"""Both ways of running homeostat, from `up` to `down`, as a user does it."""

import asyncio

import psutil
import pytest

from chaos.harness import Stack, working_folder
from chaos.scene import stage
from chaos.shop import run_or_raise
from homeostat.clock import SystemClock

pytestmark = [pytest.mark.e2e, pytest.mark.servers, pytest.mark.timeout(600)]


@pytest.fixture
def workdir():
    with working_folder("modes") as folder:
        yield folder


def mentions(process, workdir):
    return str(workdir) in " ".join(process.info["cmdline"] or ())


def left_over(workdir):
    """Processes that still speak of the scene's folder."""
    return [p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if mentions(p, workdir)]


async def test_native_repairs_a_supervised_process_and_leaves_nothing_behind(servers, workdir):
    async with stage("native", workdir, SystemClock()) as scene:
        await scene.stack.up()  # a second one is harmless
        for fault in ("crash", "pause"):
            timeline, against = await scene.play(fault, lambda _timeline: None)
            print(timeline.seconds())
            assert timeline.is_verified, timeline
            assert against == []

    await asyncio.sleep(1)
    assert left_over(workdir) == []


@pytest.mark.docker
async def test_compose_repairs_a_container_and_leaves_nothing_behind(engine, workdir):
    async with stage("compose", workdir, SystemClock()) as scene:
        await scene.stack.up()  # a second one is harmless
        timeline, against = await scene.play("crash", lambda _timeline: None)
        print(timeline.seconds())
        assert timeline.is_verified, timeline
        assert against == []

    names = await run_or_raise("docker", "ps", "--all", "--format", "{{.Names}}")
    assert [name for name in names.split() if workdir.name.lower() in name] == []


async def test_down_ends_what_a_killed_guardian_left_behind(servers, workdir):
    stack = Stack(workdir, "native")
    stack.configure()
    await stack.up()
    (guardian,) = [
        p for p in psutil.process_iter(["cmdline"]) if "guardian" in (p.info["cmdline"] or ()) and mentions(p, workdir)
    ]
    guardian.kill()
    guardian.wait(5)

    await stack.down()

    await asyncio.sleep(1)
    assert left_over(workdir) == []
