"""The action ``signal`` on real containers: they hear it, and what the engine thinks of them is as before."""

import dataclasses
import os
import signal
import time
import uuid

import pytest
from fakes.acting import act, containers_of
from fakes.databases import until

from homeostat.errors import NotSupported
from homeostat.steps import SignalStep
from responder.actions.signal import Signal

pytestmark = pytest.mark.docker

PYTHON = "python:3.13-slim"
HUP = SignalStep(action="signal", signal="HUP")
LISTENER = """
import signal
for number in (signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, lambda number, frame: print(signal.Signals(number).name, flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
DEAF = "print('ready', flush=True); import time; time.sleep(600)"


@pytest.fixture
async def run(sdk, engine_client):
    """Runs a container until it says ``ready``; as homeostat knows it."""
    started = []

    async def start(script, **options):
        name = f"hs-signal-{uuid.uuid4().hex[:8]}"
        started.append(sdk.containers.run(PYTHON, ["python", "-c", script], name=name, detach=True, **options))
        assert await until(lambda: b"ready" in started[-1].logs())
        return await engine_client.inspect(started[-1].id)

    yield start
    for container in started:
        container.remove(force=True)


def heard(sdk, container):
    return sdk.containers.get(container.id).logs().decode().split()[1:]


async def hears(sdk, container, *names):
    return await until(lambda: heard(sdk, container) == list(names))


async def test_the_application_hears_it_and_a_later_crash_is_still_restarted(run, sdk, engine_client):
    container = await run(LISTENER, restart_policy={"Name": "always"})

    result = await act(Signal(), HUP, containers_of(container), engine=engine_client)

    assert result.detail == f"sent SIGHUP to {container.name}"
    assert await hears(sdk, container, "SIGHUP")
    same = await engine_client.inspect(container.id)
    assert (same.pid, same.restart_count) == (container.pid, 0)

    # A crash: from the host, which the engine knows nothing of.
    os.kill(container.pid, signal.SIGKILL)

    assert await until(lambda: _is_up_again(engine_client, container))


async def _is_up_again(engine, before):
    now = await engine.inspect(before.id)
    return now.is_running and now.restart_count == 1 and now.pid != before.pid


async def test_through_the_engines_own_kill_the_crash_would_not_be_restarted(run, sdk, engine_client):
    """Why the action does without it. An engine that mends this may make the action simpler."""
    container = await run(LISTENER, restart_policy={"Name": "always"})
    sdk.containers.get(container.id).kill("SIGHUP")
    assert await hears(sdk, container, "SIGHUP")

    os.kill(container.pid, signal.SIGKILL)

    assert await until(lambda: _is_down(engine_client, container))
    time.sleep(1.0)
    assert (await engine_client.inspect(container.id)).restart_count == 0


async def _is_down(engine, container):
    return (await engine.inspect(container.id)).status == "exited"


async def test_only_the_targets_containers_hear_it(run, sdk, engine_client):
    one, two, other = [await run(LISTENER) for _ in range(3)]

    result = await act(Signal(), HUP, containers_of(one, two), engine=engine_client)

    assert result.detail == f"sent SIGHUP to {one.name}, {two.name}"
    assert await hears(sdk, one, "SIGHUP")
    assert await hears(sdk, two, "SIGHUP")
    assert heard(sdk, other) == []


async def test_a_container_that_does_not_listen_is_named_and_spared(run, sdk, engine_client):
    listener, deaf = await run(LISTENER), await run(DEAF)

    result = await act(Signal(), HUP, containers_of(listener, deaf), engine=engine_client)

    assert result.detail == (
        f"sent SIGHUP to {listener.name}; not to {deaf.name}, which does not listen to SIGHUP, or is stopped by it"
    )
    assert await hears(sdk, listener, "SIGHUP")
    result = await act(Signal(), HUP, containers_of(deaf), engine=engine_client)
    assert result.reason == f"{deaf.name} does not listen to SIGHUP, or is stopped by it"
    assert (await engine_client.inspect(deaf.id)).is_running


async def test_with_the_hosts_pids_a_process_that_it_would_end_is_spared(run, engine_client):
    deaf = await run(DEAF, pid_mode="host")

    result = await act(Signal(), HUP, containers_of(deaf), engine=engine_client)

    assert result.reason == f"{deaf.name} does not listen to SIGHUP, or is stopped by it"
    assert (await engine_client.inspect(deaf.id)).is_running


async def test_where_the_process_cannot_be_seen_a_shell_in_the_container_sends_it(run, sdk, engine_client, tmp_path):
    container = await run(LISTENER, restart_policy={"Name": "always"})

    # An empty /proc: as seen from another machine, or another pid namespace.
    result = await act(Signal(proc=str(tmp_path)), HUP, containers_of(container), engine=engine_client)

    assert result.detail == f"sent SIGHUP to {container.name}"
    assert await hears(sdk, container, "SIGHUP")
    os.kill(container.pid, signal.SIGKILL)
    assert await until(lambda: _is_up_again(engine_client, container))


async def test_from_inside_pid_1_is_only_signalled_where_it_is_the_containers_own(run, sdk, engine_client, tmp_path):
    neighbour = await run(LISTENER)
    container = await run(LISTENER, pid_mode=f"container:{neighbour.id}")

    with pytest.raises(NotSupported, match=rf"^{container.name}: its process cannot be signalled from here, and pid 1"):
        await act(Signal(proc=str(tmp_path)), HUP, containers_of(container), engine=engine_client)

    time.sleep(0.2)
    assert heard(sdk, neighbour) == []
    assert heard(sdk, container) == []


async def test_without_a_shell_in_the_container_it_is_said(run, sdk, engine_client, tmp_path):
    container = await run(LISTENER)
    sdk.containers.get(container.id).exec_run(["rm", "/usr/bin/sh"])

    with pytest.raises(NotSupported, match=r"cannot be signalled from here, and there is no shell in it$"):
        await act(Signal(proc=str(tmp_path)), HUP, containers_of(container), engine=engine_client)


async def test_a_container_that_was_started_again_since_is_not_hit_under_its_old_pid(run, sdk, engine_client):
    """What the responder knows may be seconds old; nobody else may have the pid by now."""
    stale, other = await run(LISTENER), await run(LISTENER)

    result = await act(Signal(), HUP, containers_of(dataclasses.replace(stale, pid=other.pid)), engine=engine_client)

    assert result.detail == f"sent SIGHUP to {stale.name}"  # from inside, where it is pid 1
    assert await hears(sdk, stale, "SIGHUP")
    assert heard(sdk, other) == []
