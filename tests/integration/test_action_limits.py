"""Limits of real containers: raised, seen, put back; and left alone where somebody else has a say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.composed import REDIS, Composed, Scene, docker, remembered, scene_of

from exporters.cgroups import Cgroups
from homeostat.clock import SystemClock
from homeostat.containers import Container
from homeostat.errors import HomeostatError, Temporary
from homeostat.steps import LimitsStep
from homeostat.workloads import Kind, Workload
from responder.actions.base import Applied, Skipped
from responder.actions.limits import RaiseLimits
from responder.targets import Target

pytestmark = pytest.mark.docker

MIB = 2**20
DOUBLE = LimitsStep(action="limits", memory=2.0, cpu=2.0)
#: 64 MiB of memory and as much swap, half a core.
LIMITED = {**REDIS, "mem_limit": "64m", "cpus": 0.5}
#: Takes ``MB`` MiB that nobody can take back, some files' worth of cache as well, and says so.
HUNGRY = """
import os, time
open("/tmp/cache", "wb").write(bytes(int(os.environ["CACHE"]) * 2**20))
held = bytearray(os.urandom(2**20)) * int(os.environ["MB"])
open("/tmp/full", "w").close()
time.sleep(3600)
"""


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    project = Composed(tmp_path)
    async with scene_of(project, tmp_path) as scene:
        yield scene


async def raised(scene: Scene, step: LimitsStep = DOUBLE):
    """The memo of a step that was taken, and what was said."""
    target = await scene.target("web")
    memo = await remembered(RaiseLimits(), step, target, scene.tools)
    done = await RaiseLimits().apply(step, target, scene.tools)
    assert isinstance(done, Applied)
    return memo, done.detail


def limits(container: Container) -> tuple[float, float, float]:
    """MiB of memory, MiB of memory and swap, cores."""
    return container.memory_limit / MIB, container.memory_swap / MIB, container.nano_cpus / 1e9


async def measured(container: Container) -> float:
    """MiB, as the exporter sees the limit in the kernel."""
    samples = await asyncio.to_thread(Cgroups(SystemClock()).sample_all, [(container.id, container.pid)])
    limit = samples[container.id].limit
    assert limit is not None
    return limit / MIB


async def test_raised_for_all_to_see_and_put_back(scene: Scene):
    scene.project.up({"web": LIMITED})
    before = await scene.one("web")
    memo, detail = await raised(scene)
    during = await scene.one("web")
    seen = await measured(during)
    undone = await RaiseLimits().undo(DOUBLE, memo, scene.tools)
    after = await scene.one("web")
    again = await RaiseLimits().undo(DOUBLE, memo, scene.tools)

    assert limits(before) == (64, 128, 0.5)
    # As much swap on top as before: 64 MiB.
    assert limits(during) == (128, 192, 1)
    assert seen == 128
    assert detail == f"{before.name} memory 64 MiB -> 128 MiB, cores 0.5 -> 1"
    assert undone == f"{before.name} has the limits of before again"
    assert limits(after) == limits(before)
    assert await measured(after) == 64
    assert again == f"{before.name} has the limits of before: left as it is"
    assert after.started_at == before.started_at


@pytest.mark.parametrize(
    ("swap", "expected"), [("64m", 128.0), (-1, -1 / MIB)], ids=["no swap at all", "as much swap as there is"]
)
async def test_the_allowance_of_swap_stays_what_it_is(scene: Scene, swap: str | int, expected: float):
    scene.project.up({"web": {**LIMITED, "memswap_limit": swap}})
    before = await scene.one("web")
    memo, _ = await raised(scene)
    during = await scene.one("web")
    await RaiseLimits().undo(DOUBLE, memo, scene.tools)

    assert limits(during) == (128, expected, 1)
    assert limits(await scene.one("web")) == limits(before)


async def test_never_above_what_homeostat_yml_and_the_machine_allow(scene: Scene):
    scene.project.up({"web": LIMITED})
    name, host = (await scene.one("web")).name, await scene.engine.host()
    capped = LimitsStep(action="limits", memory=2.0, memory_max=100 * MIB, cpu=100.0)
    _, detail = await raised(scene, capped)
    assert limits(await scene.one("web"))[::2] == (100, host.cpus)
    assert detail == (
        f"{name} memory 64 MiB -> 100 MiB (128 MiB, but for memory_max),"
        f" cores 0.5 -> {host.cpus} (50, but for the machine's cores)"
    )

    _, detail = await raised(scene, LimitsStep(action="limits", memory=1e6))
    assert (await scene.one("web")).memory_limit == int(host.memory_bytes * 0.8)
    assert detail.endswith("but for 80% of the machine's memory)")

    full = await RaiseLimits().prepare(LimitsStep(action="limits", memory=2.0), await scene.target("web"), scene.tools)
    assert isinstance(full, Skipped)
    assert full.reason.endswith("and may have no more")


async def test_what_has_no_limit_gets_none(scene: Scene):
    scene.project.up({"web": REDIS, "quota": {**REDIS, "cpu_quota": 50000, "mem_limit": "64m"}})
    name, quota = (await scene.one("web")).name, await scene.one("quota")
    target, mixed = await scene.target("web"), await scene.target("quota")

    for answer in (
        await RaiseLimits().prepare(DOUBLE, target, scene.tools),
        await RaiseLimits().apply(DOUBLE, target, scene.tools),
    ):
        assert answer == Skipped(f"{name} has no memory limit and has no limit of cores")
    assert limits(await scene.one("web")) == (0, 0, 0)
    done = await RaiseLimits().apply(DOUBLE, mixed, scene.tools)
    assert done == Applied(f"{quota.name} memory 64 MiB -> 128 MiB, has no limit of cores")


async def test_one_that_does_not_run_and_a_process_are_skipped(scene: Scene):
    scene.project.up({"web": LIMITED})
    docker("stop", (await scene.one("web")).id)
    process = Target(Workload("local/api", Kind.PROCESS), (), "api")

    stopped = await RaiseLimits().prepare(DOUBLE, await scene.target("web"), scene.tools)

    assert stopped == Skipped(f"{(await scene.one('web')).name} is exited")
    assert await RaiseLimits().prepare(DOUBLE, process, scene.tools) == Skipped("not a container")


async def test_what_an_operator_has_set_meanwhile_is_left(scene: Scene):
    scene.project.up({"web": LIMITED})
    memo, _ = await raised(scene)
    web = await scene.one("web")
    docker("update", "--memory", "300m", "--memory-swap", "400m", web.id)

    undone = await RaiseLimits().undo(DOUBLE, memo, scene.tools)
    partly = limits(await scene.one("web"))
    docker("update", "--cpus", "1.5", web.id)
    again = await RaiseLimits().undo(DOUBLE, memo, scene.tools)

    assert undone == f"{web.name} has the limits of before again"
    assert partly == (300, 400, 0.5)  # the CPU was still as we had set it
    assert again == f"{web.name} was given others meanwhile: left as it is"
    assert limits(await scene.one("web")) == (300, 400, 1.5)


async def test_one_that_uses_too_much_now_keeps_its_memory_until_it_does_not(scene: Scene):
    """The kernel would kill it, or refuse."""
    environment = {"MB": "80", "CACHE": "0"}
    hungry = {"image": "python:3.13-slim", "command": ["sleep", "3600"], "stop_signal": "SIGKILL"}
    scene.project.up({"web": {**hungry, "mem_limit": "64m", "cpus": 0.5, "environment": environment}})
    memo, _ = await raised(scene)
    web = await scene.one("web")
    docker("exec", "--detach", web.id, "python", "-c", HUNGRY)
    await full(web)

    with pytest.raises(Temporary, match=rf"{web.name} uses \d+ MiB, too much for its 64 MiB of before"):
        await RaiseLimits().undo(DOUBLE, memo, scene.tools)
    kept = limits(await scene.one("web"))
    docker("exec", web.id, "python", "-c", KILL)
    undone = await RaiseLimits().undo(DOUBLE, memo, scene.tools)

    assert kept == (128, 192, 0.5)  # the CPU back already
    assert undone == f"{web.name} has the limits of before again"
    assert limits(await scene.one("web")) == (64, 128, 0.5)
    assert (await scene.one("web")).oom_killed is False


#: Ends the hungry one and waits for its memory to be free.
KILL = """
import os, signal, time
for pid in filter(str.isdecimal, os.listdir("/proc")):
    if pid not in ("1", str(os.getpid())):
        os.kill(int(pid), signal.SIGKILL)
time.sleep(0.3)
"""


async def full(container: Container) -> None:
    async with asyncio.timeout(20):
        while "full" not in docker("exec", container.id, "ls", "/tmp").split():
            await asyncio.sleep(0.1)


async def test_files_in_memory_do_not_keep_a_limit_from_going_back(scene: Scene):
    """Whatever a container may have, the kernel fills with its files."""
    environment = {"MB": "20", "CACHE": "80"}
    command = ["python", "-c", HUNGRY]
    hungry = {"image": "python:3.13-slim", "command": command, "stop_signal": "SIGKILL", "environment": environment}
    scene.project.up({"web": {**hungry, "mem_limit": "128m"}})
    step = LimitsStep(action="limits", memory=2.0)
    web = await scene.one("web")
    await full(web)
    docker("update", "--memory", "64m", "--memory-swap", "128m", web.id)
    memo, _ = await raised(scene, step)
    docker("exec", web.id, "cat", "/tmp/cache")
    usage = (await scene.engine.stats(web.id, 5)).memory_usage

    undone = await RaiseLimits().undo(step, memo, scene.tools)

    assert usage is not None
    assert usage > 64 * MIB
    assert undone == f"{web.name} has the limits of before again"
    assert (await scene.one("web")).status == "running"


async def test_one_that_is_gone_takes_its_limits_with_it(scene: Scene):
    scene.project.up({"web": LIMITED})
    memo, _ = await raised(scene)
    old = await scene.one("web")
    scene.project.compose("up", "--detach", "--force-recreate")

    undone = await RaiseLimits().undo(DOUBLE, memo, scene.tools)

    assert undone == f"{old.name} is gone"
    assert limits(await scene.one("web")) == (64, 128, 0.5)


async def test_a_responder_that_died_before_it_acted_puts_nothing_back(scene: Scene):
    scene.project.up({"web": LIMITED})
    memo = await remembered(RaiseLimits(), DOUBLE, await scene.target("web"), scene.tools)

    undone = await RaiseLimits().undo(DOUBLE, memo, scene.tools)

    assert undone == f"{(await scene.one('web')).name} has the limits of before: left as it is"


async def test_the_engine_s_refusal_is_told(scene: Scene):
    scene.project.up({"web": LIMITED})
    target = await scene.target("web")
    docker("rm", "--force", target.containers[0].id)

    with pytest.raises(HomeostatError, match="No such container"):
        await RaiseLimits().apply(DOUBLE, target, scene.tools)
