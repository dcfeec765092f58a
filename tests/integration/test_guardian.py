"""The guardian as people run it: killed, started twice, ended; its processes are real."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
import pytest
from fakes.guarded import Guarded, python

from homeostat.errors import NotFound, Unreachable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

FOREVER = "import time; time.sleep(600)"
FAST = {"backoff": {"initial": "50ms", "jitter": 0}}
#: A deaf child, a child with a session of its own, and a daemon whose parents are gone. argv[1]: where they say so.
FAMILY = """
import os, signal, subprocess, sys, time
def start(kind):
    return subprocess.Popen([sys.executable, "-c", CHILD, kind])
CHILD = '''
import os, signal, sys, time
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if sys.argv[1] in ("session", "daemon"):
    os.setsid()
if sys.argv[1] == "daemon" and os.fork():
    os._exit(0)
print(sys.argv[1], flush=True)
time.sleep(600)
'''
children = [start(kind) for kind in ("deaf", "session", "daemon")]
time.sleep(600)
"""


@pytest.fixture
async def guarded(tmp_path, free_port):
    """A function: (processes) -> a guardian that is up."""
    made: list[Guarded] = []

    async def make(*, up: bool = True, **processes) -> Guarded:
        guarded = Guarded(tmp_path, f"127.0.0.1:{free_port()}", processes)
        made.append(guarded)
        if up:
            await guarded.up()
        return guarded

    yield make
    for guarded in made:
        await guarded.clean_up()


async def family(guarded: Guarded, name: str) -> set[int]:
    """Pids of the whole family, once all have spoken."""
    log = guarded.state_dir / "logs" / f"{name}.log"
    async with asyncio.timeout(10):
        while not log.exists() or sorted(log.read_text().split()) != ["daemon", "deaf", "session"]:
            await asyncio.sleep(0.02)
    pids = await guarded.our_pids()
    assert len(pids) == 4
    return pids


async def test_a_killed_guardian_leaves_its_processes_and_the_next_adopts_and_keeps_them(guarded):
    guardian = await guarded(web={"command": python(FOREVER), **FAST})
    before = await guardian.until("web", state="running")

    guardian.signal(signal.SIGKILL)
    await guardian.ended()
    os.kill(before.pid, 0)  # lives on, else this raises
    await guardian.up()
    adopted = await guardian.status("web")
    assert (adopted.pid, adopted.state, adopted.restarts) == (before.pid, "running", 0)
    assert adopted.started_at == pytest.approx(before.started_at, abs=0.2)
    assert await guardian.our_pids() == {before.pid}

    os.kill(before.pid, signal.SIGKILL)
    after = await guardian.until("web", restarts=1, state="running")
    assert (after.pid == before.pid, after.exit_code) == (False, None)


@pytest.mark.parametrize("damage", ["lost", "corrupt"])
async def test_without_its_state_file_it_still_starts_no_second_copy(guarded, damage):
    guardian = await guarded(web={"command": python(FOREVER)})
    before = await guardian.until("web", state="running")
    guardian.signal(signal.SIGKILL)
    await guardian.ended()
    state = guardian.state_dir / "guardian.json"
    state.unlink() if damage == "lost" else state.write_bytes(b"\0" * 100)

    await guardian.up()

    assert (await guardian.status("web")).pid == before.pid
    assert await guardian.our_pids() == {before.pid}
    assert (guardian.state_dir / "guardian.json.corrupt").exists() == (damage == "corrupt")


async def test_what_died_with_its_guardian_is_cleared_away_before_a_new_start(guarded):
    guardian = await guarded(family={"command": python(FAMILY), "stop_grace": "300ms", **FAST})
    old = await family(guardian, "family")
    root = (await guardian.status("family")).pid
    guardian.signal(signal.SIGKILL)
    await guardian.ended()
    os.kill(root, signal.SIGKILL)  # its children live on

    await guardian.up()
    new = await guardian.until("family", state="running", restarts=1)

    assert new.pid not in old
    assert not (await guardian.our_pids() & old)


async def test_sigterm_ends_every_descendant_and_then_the_guardian(guarded):
    guardian = await guarded(family={"command": python(FAMILY), "stop_grace": "500ms"})
    await family(guardian, "family")
    start = time.monotonic()

    guardian.signal(signal.SIGTERM)
    code, log = await guardian.ended()

    assert (code, await guardian.our_pids()) == (0, set())
    assert time.monotonic() - start < 0.5 + 2
    assert [line["event"] for line in log][-2:] == ["guardian.ending", "guardian.ended"]


async def test_a_daemon_born_of_the_request_to_end_is_ended_too(guarded):
    born = """
import os, signal, time
def bear(*_):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
    os._exit(0)
signal.signal(signal.SIGTERM, bear)
print("up")
time.sleep(600)
"""
    guardian = await guarded(web={"command": python(born)})
    log = guardian.state_dir / "logs" / "web.log"
    async with asyncio.timeout(10):
        while not log.exists() or "up" not in log.read_text():
            await asyncio.sleep(0.02)

    guardian.signal(signal.SIGTERM)
    await guardian.ended()

    assert await guardian.our_pids() == set()


async def test_shutdown_over_the_socket_answers_when_all_have_ended(guarded):
    guardian = await guarded(family={"command": python(FAMILY), "stop_grace": "200ms"})
    await family(guardian, "family")

    await guardian.client.shutdown(10)

    assert await guardian.our_pids() == set()
    assert (await guardian.ended())[0] == 0
    with pytest.raises(Unreachable):
        await guardian.client.processes()


async def test_shutdown_can_leave_the_processes_to_the_next_guardian(guarded):
    guardian = await guarded(web={"command": python(FOREVER)})
    before = await guardian.until("web", state="running")

    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(guardian.client.socket))) as session,
        session.post("http://guardian/shutdown?keep=true") as response,
    ):
        assert await response.json() == {"kept": True}
    code, log = await guardian.ended()
    await guardian.up()

    assert (code, (await guardian.status("web")).pid) == (0, before.pid)
    assert not [line for line in log if line["level"] != "info"]


async def test_sigterm_in_the_middle_of_a_restart_waits_for_one_grace_only(guarded):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)"
    guardian = await guarded(web={"command": python(deaf), "stop_grace": "1s"})
    log = guardian.state_dir / "logs" / "web.log"
    async with asyncio.timeout(10):
        while not log.exists() or "up" not in log.read_text():
            await asyncio.sleep(0.02)
    restarting = asyncio.create_task(guardian.client.restart("web", 60, timeout_s=10))
    await asyncio.sleep(0.2)
    start = time.monotonic()

    guardian.signal(signal.SIGTERM)
    code, _ = await guardian.ended()

    assert (code, await guardian.our_pids()) == (0, set())
    assert time.monotonic() - start < 1 + 2
    with pytest.raises(Exception, match="guardian"):
        await restarting


async def test_a_second_guardian_is_refused(guarded):
    guardian = await guarded(web={"command": python(FOREVER)})
    before = await guardian.until("web", state="running")

    second = await guardian.launch()
    _, errors = await second.communicate()

    assert second.returncode == 3
    assert b"another guardian runs on this state folder" in errors
    assert (await guardian.status("web")).pid == before.pid


async def test_an_address_in_use_is_refused_before_anything_is_started(guarded, tmp_path):
    guardian = await guarded(up=False, web={"command": python(FOREVER)})
    host, port = guardian.listen.split(":")
    other = await asyncio.start_server(lambda *_: None, host, int(port))

    refused = await guardian.launch()
    _, errors = await refused.communicate()
    other.close()

    assert (refused.returncode, await guardian.our_pids()) == (3, set())
    assert f"cannot listen on {guardian.listen}".encode() in errors


async def test_wrong_settings_are_told(guarded):
    guardian = await guarded(up=False, web={"comand": ["true"]})

    refused = await guardian.launch()
    _, errors = await refused.communicate()

    assert refused.returncode == 2
    assert b"processes.web.comand: unknown key" in errors


async def test_the_state_folder_may_be_elsewhere_and_its_path_long(guarded, tmp_path):
    guardian = await guarded(up=False, web={"command": python(FOREVER)})
    elsewhere = tmp_path / ("long" * 25)
    moved = Guarded(tmp_path, guardian.listen, {"web": {"command": python(FOREVER)}})
    moved.state_dir = elsewhere
    process = await moved.launch("--state-dir", str(elsewhere))
    from homeostat.guardian_client import GuardianClient
    from homeostat.platforms import control_socket_path

    async with asyncio.timeout(10):
        while not (elsewhere / "guardian.json").exists():
            await asyncio.sleep(0.02)
    client = GuardianClient(control_socket_path(elsewhere))
    assert [status.name for status in await client.processes()] == ["web"]
    process.terminate()
    await process.communicate()

    assert (process.returncode, await moved.our_pids()) == (0, set())
    assert not client.socket.exists()
    client.socket.parent.rmdir()


async def test_orders_through_the_client(guarded):
    guardian = await guarded(family={"command": python(FAMILY), "stop_grace": "5s"})
    old = await family(guardian, "family")

    await guardian.client.restart("family", 0.2, timeout_s=10)

    after = await guardian.status("family")
    # A restart that was asked for is none of its own: `restarts` says how often it needed one.
    assert (after.restarts, after.pid in old, await guardian.our_pids() & old) == (0, False, set())
    with pytest.raises(NotFound, match="no process 'nope'; there are: \\['family'\\]"):
        await guardian.client.restart("nope", None, timeout_s=5)


async def test_a_process_with_changed_settings_is_restarted_and_a_removed_one_ended(guarded):
    guardian = await guarded(
        web={"command": python(FOREVER)}, same={"command": python(FOREVER)}, gone={"command": python(FOREVER)}
    )
    before = {name: (await guardian.until(name, state="running")).pid for name in ("web", "same", "gone")}
    guardian.signal(signal.SIGKILL)
    await guardian.ended()
    guardian.write({"web": {"command": python(FOREVER), "env": {"A": "b"}}, "same": {"command": python(FOREVER)}})

    await guardian.up()
    async with asyncio.timeout(10):
        while (web := await guardian.until("web", state="running")).pid == before["web"]:
            await asyncio.sleep(0.02)

    assert b"A=b" in Path(f"/proc/{web.pid}/environ").read_bytes().split(b"\0")
    assert (await guardian.status("same")).pid == before["same"]
    async with asyncio.timeout(5):
        while await guardian.our_pids() != {web.pid, before["same"]}:
            await asyncio.sleep(0.02)
    assert "gone" not in json.loads((guardian.state_dir / "guardian.json").read_text())["processes"]


async def test_metrics_and_health_are_served(guarded):
    guardian = await guarded(web={"command": python(FOREVER)})
    await guardian.until("web", state="running")

    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://{guardian.listen}/metrics") as response:
            text = await response.text()
        async with session.get(f"http://{guardian.listen}/-/healthy") as response:
            assert response.status == 200

    assert 'homeostat_guardian_process_up{workload="local/web"} 1.0\n' in text
    assert 'homeostat_guardian_process_resident_memory_bytes{workload="local/web"} ' in text
