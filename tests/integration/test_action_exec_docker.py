"""The action ``exec`` in real containers, by the engine's exec."""

import asyncio
import contextlib
import dataclasses
import re
import time
import uuid

import docker
import pytest
from fakes.acting import act, containers_of, settings_with
from fakes.databases import until

from homeostat.commandspec import Command
from homeostat.containerexec import TAIL_BYTES
from homeostat.errors import NotFound, Permanent
from homeostat.steps import ExecStep
from responder.actions import exec as exec_module
from responder.actions.exec import Exec

pytestmark = pytest.mark.docker

PYTHON = "python:3.13-slim"
STEP = ExecStep(action="exec", command="flush", timeout=10.0)
#: A name that would do harm in a shell, in a path, and in a log.
HOSTILE = "$(touch /owned);`id`|x&&y'\"\\ ../../etc\n-rf --\r\x1b[2J"


@pytest.fixture
async def run(sdk, engine_client):
    """Runs a container that does nothing; as homeostat knows it."""
    started = []

    async def start(**options):
        name = f"hs-exec-{uuid.uuid4().hex[:8]}"
        started.append(sdk.containers.run(PYTHON, ["sleep", "600"], name=name, detach=True, **options))
        return await engine_client.inspect(started[-1].id)

    yield start
    for container in started:
        with contextlib.suppress(docker.errors.NotFound):
            container.remove(force=True)


def inside(*argv, **command):
    return settings_with(flush=Command(argv=argv, in_container=True, **command))


def python(script, *arguments, **command):
    return inside("python", "-c", script, *arguments, **command)


async def test_a_command_runs_once_in_each_container_of_the_target(run, sdk, engine_client):
    one, two, other = await run(environment={"MODE": "image"}), await run(), await run()
    script = "import os, sys; open('/ran', 'a').write(repr([sys.argv[1:], os.environ['HOMEOSTAT_CONTAINER']]) + '\\n')"

    result = await act(
        Exec(), STEP, containers_of(one, two), engine=engine_client, settings=python(script, "a b", "$HOME")
    )

    first, second = result.detail.split("; ")
    assert re.fullmatch(rf"flush in {one.name}: \d\.\d s", first)
    assert re.fullmatch(rf"flush in {two.name}: \d\.\d s", second)
    for container in (one, two):
        found = sdk.containers.get(container.id).exec_run(["cat", "/ran"]).output.decode()
        assert found == f"{[['a b', '$HOME'], container.name]!r}\n"
    assert sdk.containers.get(other.id).exec_run(["cat", "/ran"]).exit_code == 1


async def test_it_has_the_containers_environment_and_the_owners_on_top(run, engine_client):
    container = await run(environment={"MODE": "image", "KEEP": "1"})
    script = "import os; print(*(os.environ.get(name) for name in ('MODE', 'KEEP', 'HOMEOSTAT_WORKLOAD', 'LANG2')))"

    result = await act(
        Exec(), STEP, containers_of(container), engine=engine_client, settings=python(script, env={"MODE": "all"})
    )

    assert result.detail.endswith(" s: all 1 shop/web None")


async def test_hostile_names_are_data_and_nothing_else(run, sdk, engine_client):
    container = dataclasses.replace(await run(), name=HOSTILE)
    script = "import os, sys; print(repr([sys.argv[1:], os.environ['HOMEOSTAT_WORKLOAD']]))"

    result = await act(
        Exec(),
        STEP,
        containers_of(container, workload=f"shop/{HOSTILE}"),
        engine=engine_client,
        settings=python(script, "$HOMEOSTAT_WORKLOAD"),
    )

    assert result.detail.endswith(repr([["$HOMEOSTAT_WORKLOAD"], f"shop/{HOSTILE}"]))
    assert sdk.containers.get(container.id).exec_run(["ls", "/owned"]).exit_code == 2


async def test_a_command_that_fails_is_told_and_the_next_container_is_left_alone(run, sdk, engine_client):
    one, two = await run(), await run()
    script = "import sys; open('/ran', 'w').close(); print('no such shop'); sys.exit(3)"

    with pytest.raises(Permanent, match=rf"^flush in {one.name} ended with 3: no such shop$"):
        await act(Exec(), STEP, containers_of(one, two), engine=engine_client, settings=python(script))

    assert sdk.containers.get(two.id).exec_run(["cat", "/ran"]).exit_code == 1


async def test_a_program_that_is_not_in_the_image_is_told(run, engine_client):
    container = await run()

    with pytest.raises(Permanent, match=r"(ended with 12[67]: |refused: ).*/nowhere/flush"):
        await act(Exec(), STEP, containers_of(container), engine=engine_client, settings=inside("/nowhere/flush"))


async def test_a_container_that_is_paused_is_passed_over(run, sdk, engine_client):
    container = await run()
    sdk.containers.get(container.id).pause()

    result = await act(
        Exec(),
        STEP,
        containers_of(await engine_client.inspect(container.id)),
        engine=engine_client,
        settings=inside("true"),
    )

    assert result.reason == "flush: no container of it runs"


async def test_a_container_that_is_gone_or_was_paused_meanwhile_is_an_error(run, sdk, engine_client):
    container, gone = await run(), await run()
    sdk.containers.get(container.id).pause()
    sdk.containers.get(gone.id).remove(force=True)

    with pytest.raises(Permanent, match="paused"):
        await act(Exec(), STEP, containers_of(container), engine=engine_client, settings=inside("true"))
    with pytest.raises(NotFound, match="No such container"):
        await act(Exec(), STEP, containers_of(gone), engine=engine_client, settings=inside("true"))


#: Starts another, says so, and is silent.
HANGS = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(601)"])
print("working", flush=True)
time.sleep(602)
"""


async def test_a_command_past_its_time_is_ended_with_all_that_it_started(run, sdk, engine_client):
    container = await run()
    begin = time.monotonic()

    with pytest.raises(Permanent, match=rf"^flush in {container.name}: not done in time; it was ended$"):
        await act(
            Exec(),
            dataclasses.replace(STEP, timeout=3.0),
            containers_of(container),
            engine=engine_client,
            settings=python(HANGS),
        )

    assert time.monotonic() - begin < 3.0
    assert await until(lambda: _processes(sdk, container) == ["sleep 600"], within_s=2)


async def test_where_its_process_cannot_be_seen_it_is_said_that_it_may_still_run(run, sdk, engine_client, monkeypatch):
    container = await run()
    monkeypatch.setattr(exec_module, "is_in_container", lambda *_: False)  # as from another machine

    with pytest.raises(Permanent, match=r"not done in time; it may still run there$"):
        await act(
            Exec(),
            dataclasses.replace(STEP, timeout=2.0),
            containers_of(container),
            engine=engine_client,
            settings=python(HANGS),
        )

    assert len(_processes(sdk, container)) == 3


def _processes(sdk, container):
    return [row[-1] for row in sdk.containers.get(container.id).top(ps_args="-eo pid,args")["Processes"]]


async def test_of_a_command_that_says_very_much_the_end_is_kept(run, engine_client):
    container = await run()
    argv = ["python", "-c", "print(('x' * 999 + '\\n') * 20_000 + 'the end')"]

    result = await engine_client.exec(container.id, argv, 20.0, {})

    assert (result.exit_code, len(result.output)) == (0, TAIL_BYTES)
    assert result.output.endswith("xx\nthe end\n")


async def test_what_runs_on_in_the_background_is_not_waited_for(run, engine_client):
    container = await run()
    begin = time.monotonic()

    result = await engine_client.exec(container.id, ["sh", "-c", "sleep 30 & echo started"], 20.0, {})

    assert (result.exit_code, result.output) == (0, "started\n")
    assert time.monotonic() - begin < 10.0


async def test_as_many_at_once_as_there_are_leave_the_engine_free_for_others(run, engine_client):
    container = await run()
    running = [asyncio.create_task(engine_client.exec(container.id, ["sleep", "3"], 20.0, {})) for _ in range(12)]
    await asyncio.sleep(1.5)
    begin = time.monotonic()

    await engine_client.inspect(container.id)

    assert time.monotonic() - begin < 0.5
    assert {result.exit_code for result in await asyncio.gather(*running)} == {0}
