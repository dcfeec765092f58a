"""The exporter on a real Docker Engine: every way a container can be, and an engine that stops answering."""

import asyncio
import collections
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.cgroups import Cgroups
from exporters.due import contradicts
from exporters.enginestats import resources_of, sample_of
from homeostat.clock import SystemClock
from homeostat.containers import DockerEngine

pytestmark = pytest.mark.docker

PYTHON = "python:3.13-slim"
REDIS = "redis:8.0"
MIB = 2**20
UNIFIED = Path("/sys/fs/cgroup/unified")
SOCKET = "/var/run/docker.sock"
SERVE = ["python", "-m", "http.server", "8080"]
PROBED = {"homeostat.enable": "true", "homeostat.probe.http": ":8080/", "homeostat.probe.interval": "500ms"}
#: Two processes, one of them with most of its files open, three threads, and a child that nobody waits for.
HOLD = """
import os, threading, time
if os.fork() == 0:
    held = [open("/dev/null") for _ in range(60)]
    time.sleep(3600)
if os.fork() == 0:
    os._exit(0)
threading.Thread(target=time.sleep, args=(3600,)).start()
time.sleep(3600)
"""
#: Role -> how it is run. ``idle`` is ended from outside, by a signal that the engine did not send.
ROLES: dict[str, dict[str, Any]] = {
    "running": {
        "image": REDIS,
        "mem_limit": 64 * MIB,
        "healthcheck": {"test": ["CMD", "true"], "interval": 10**9},
    },
    "exited": {"image": PYTHON, "command": ["sh", "-c", "exit 7"]},
    "oom": {
        "image": PYTHON,
        # The engine watches for OOM kills from just after the start on: not before that.
        "command": ["python", "-c", "import time; time.sleep(0.5); x = [bytearray(10**6) for _ in range(200)]"],
        "mem_limit": 24 * MIB,
        "memswap_limit": 24 * MIB,
    },
    "looping": {
        "image": PYTHON,
        "command": ["sh", "-c", "sleep 0.2; exit 3"],
        "restart_policy": {"Name": "always"},
    },
    "stopped": {"image": REDIS},
    "killed": {"image": REDIS},
    "reloaded": {"image": PYTHON, "command": ["sh", "-c", "trap : HUP; while :; do sleep 0.2; done"]},
    "restarted": {"image": REDIS},
    "served": {"image": PYTHON, "command": SERVE, "labels": PROBED},
    "paused": {"image": PYTHON, "command": SERVE, "labels": PROBED},
    "busy": {
        "image": PYTHON,
        "command": ["python", "-c", "while True: pass"],
        "nano_cpus": 200_000_000,
        "mem_limit": 128 * MIB,
        "pids_limit": 50,
    },
    "holding": {
        "image": PYTHON,
        "command": ["python", "-c", HOLD],
        "ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 100}],
    },
    "hosted": {"image": PYTHON, "command": ["sleep", "3600"], "network_mode": "host"},
}


@dataclass
class Exporter:
    """A running ``python -m exporters``."""

    process: subprocess.Popen[bytes]
    port: int

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as response:
            return response.read().decode()

    def samples(self) -> dict[tuple[str, str], float]:
        """(metric, container) -> value; of state sets, what is 1, as (metric=state, container)."""
        found: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families(self.page()):
            for sample in family.samples:
                container = sample.labels.get("container", "").rpartition("-")[2]
                state = sample.labels.get("state") or sample.labels.get("health")
                if state is None:
                    found[sample.name, container] = sample.value
                elif sample.value:
                    found[f"{sample.name}={state}", container] = 1.0
        return found

    def until(self, condition: Callable[[dict[tuple[str, str], float]], bool], within_s: float = 15.0):
        """The samples once they are so; the last ones when they never are."""
        deadline = time.monotonic() + within_s
        while not condition(found := self.samples()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found


@contextlib.contextmanager
def exporter(folder: Path, port: int, host: str = f"unix://{SOCKET}") -> Iterator[Exporter]:
    settings = folder / f"homeostat-{port}.yml"
    settings.write_text(
        f"exporter: {{listen: '127.0.0.1:{port}'}}\n"
        f"state_dir: {folder / 'state'}\n"
        f"docker: {{enabled: true, host: '{host}'}}\n"
    )
    command = [sys.executable, "-m", "exporters", "--settings", str(settings)]
    with (folder / "exporter.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    running = Exporter(process, port)
    try:
        for _ in range(150):
            with contextlib.suppress(OSError):
                if ("homeostat_container_running", "running") in running.samples():
                    break
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        assert process.wait(timeout=5) == 0


@pytest.fixture(scope="module")
def port() -> Callable[[], int]:
    import socket

    def pick() -> int:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            return int(sock.getsockname()[1])

    return pick


@pytest.fixture(scope="module")
def containers(engine: str) -> Iterator[dict[str, Any]]:
    """Role -> a container of the SDK. All are removed at the end, whatever happened."""
    import docker

    client = docker.from_env(timeout=30)
    run = f"hs-exp-{uuid.uuid4().hex[:8]}"

    def start(role: str):
        options = {"labels": {}, **ROLES[role]}
        options["labels"] = {"hs-exp": run, **options["labels"]}
        return client.containers.run(name=f"{run}-{role}", detach=True, **options)

    try:
        with ThreadPoolExecutor(4) as pool:
            yield dict(zip(ROLES, pool.map(start, ROLES), strict=True))
    finally:
        left = client.containers.list(all=True, filters={"label": f"hs-exp={run}"})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda container: container.remove(force=True), left))
        client.close()


def end_from_outside(container) -> None:
    """As the kernel or a crash would: the engine is not asked."""
    container.reload()
    pid = container.attrs["State"]["Pid"]
    if not Path(f"/proc/{pid}").exists():
        pytest.skip("the engine's processes are not visible here")
    os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def scene(containers, port, tmp_path_factory) -> Iterator[Exporter]:
    """An exporter that has watched all of it happen."""
    with exporter(tmp_path_factory.mktemp("exporter"), port()) as running:
        running.until(lambda found: ("homeostat_probe_success", "paused") in found)
        containers["paused"].pause()
        containers["stopped"].stop()
        containers["reloaded"].kill("HUP")
        containers["restarted"].restart()
        for role in ("killed", "reloaded", "restarted"):
            end_from_outside(containers[role])
        running.until(lambda found: found.get(("homeostat_container_running", "restarted")) == 0)
        yield running


def values(found: dict[tuple[str, str], float], role: str) -> dict[str, float]:
    return {
        metric.removeprefix("homeostat_container_"): value
        for (metric, container), value in found.items()
        if container == role and metric.startswith("homeostat_container_")
    }


def test_a_running_container_tells_everything(scene):
    found = values(scene.until(lambda found: ("homeostat_container_health=healthy", "running") in found), "running")

    expected = {"running": 1, "state=running": 1, "health=healthy": 1, "stopped_by_request": 0, "oom_killed": 0}
    assert expected.items() <= found.items()
    assert found["memory_limit_bytes"] == 64 * MIB
    assert 0.5 * MIB < found["memory_anon_bytes"] < found["memory_usage_bytes"] < 64 * MIB
    assert found["cpu_seconds_total"] > 0
    assert found["pids"] >= 1
    assert abs(found["start_timestamp_seconds"] - time.time()) < 120
    assert not found.keys() & {"exit_code", "finish_timestamp_seconds"}


def test_a_limited_container_tells_its_limits_and_what_they_cost_it(scene):
    found = values(scene.until(lambda found: values(found, "busy").get("cpu_throttled_periods_total", 0) > 2), "busy")

    assert (found["cpu_limit_cores"], found["pids_limit"], found["memory_limit_bytes"]) == (0.2, 50, 128 * MIB)
    assert found["cpu_periods_total"] >= found["cpu_throttled_periods_total"] > 2
    assert found["cpu_throttled_seconds_total"] > 0
    assert 0 < found["memory_working_set_bytes"] <= found["memory_usage_bytes"]
    assert found["memory_max_events_total"] == 0


def test_a_container_without_limits_says_so(scene):
    found = values(scene.samples(), "served")

    assert (found["cpu_limit_cores"], found["pids_limit"], found["memory_limit_bytes"]) == (0, 0, 0)


def test_processes_threads_zombies_and_open_files_are_told_apart(scene):
    found = values(scene.until(lambda found: values(found, "holding").get("worst_fd_ratio", 0) > 0.6), "holding")

    assert (found["processes"], found["threads"], found["pids"]) == (2, 3, 4)
    assert 0.6 < found["worst_fd_ratio"] < 0.8
    assert found["open_fds"] >= 63 + 3


def test_traffic_is_told_by_interface_and_the_hosts_is_not(scene):
    page = scene.page()

    assert re.search(
        r'^homeostat_container_network_receive_bytes_total\{.*-served",interface="eth0"\} \d+$', page, re.MULTILINE
    )
    assert not re.search(r"^homeostat_container_network_.*-hosted", page, re.MULTILINE)
    assert values(scene.samples(), "hosted")["processes"] == 1
    assert not re.search(r'^homeostat_container_network_.*interface="lo"', page, re.MULTILINE)


def test_one_container_has_at_most_60_series(scene):
    counts = collections.Counter(re.findall(r'^homeostat_container_.*container="([^"]+)"', scene.page(), re.MULTILINE))

    assert 40 <= max(counts.values()) <= 60


async def test_the_engines_own_measurement_agrees_with_the_cgroups(scene, containers):
    """What stands in where a cgroup cannot be found: on the wire of a real engine, one sample at a time."""
    engine = DockerEngine(f"unix://{SOCKET}")
    container = await engine.inspect(containers["busy"].id)
    cgroups = Cgroups(SystemClock())
    start = time.monotonic()
    stats = await engine.stats(container.id, 5.0)
    took_s = time.monotonic() - start
    ours = cgroups.sample_all([(container.id, container.pid)])[container.id]
    rest = cgroups.resources_all([container])[container.id]
    await engine.close()
    told, told_rest = sample_of(stats), resources_of(stats)

    assert took_s < 0.5  # two samples are a second apart
    assert told.pids == ours.pids == 1
    assert told.cpu_seconds == pytest.approx(ours.cpu_seconds, rel=0.2)
    assert told.anon == pytest.approx(ours.anon, rel=0.2)
    assert told.usage == pytest.approx(ours.usage, rel=0.2)
    assert told_rest.cgroup.cpu.throttled_periods == pytest.approx(rest.cgroup.cpu.throttled_periods, rel=0.2, abs=5)
    assert told_rest.cgroup.pids_limit == rest.cgroup.pids_limit == 50
    assert told_rest.cgroup.memory.working_set == pytest.approx(rest.cgroup.memory.working_set, rel=0.2)
    assert [each.interface for each in told_rest.networks] == [each.interface for each in rest.networks] == ["eth0"]


@pytest.mark.skipif(not UNIFIED.is_dir(), reason="no cgroup v2 beside v1 here")
async def test_v2_is_read_where_a_machine_has_both(scene, containers):
    """Of real files as far as controllers that v1 has left to it: CPU time, pressure, processes."""
    engine = DockerEngine(f"unix://{SOCKET}")
    container = await engine.inspect(containers["busy"].id)
    await engine.close()
    v1, v2 = Cgroups(SystemClock()), Cgroups(SystemClock(), UNIFIED)
    key = (container.id, container.pid)
    theirs, ours = (each.sample_all([key])[container.id] for each in (v1, v2))
    found = v2.resources_all([container])[container.id]

    assert ours.cpu_seconds == pytest.approx(theirs.cpu_seconds, rel=0.2)
    assert (found.processes.count, found.processes.threads) == (1, 1)
    assert found.cgroup.pressure.cpu_waiting is not None
    assert found.networks[0].interface == "eth0"


async def test_the_list_tells_what_inspect_tells(scene, containers):
    """The poll rests on it: for a container that is calm both must say the same, or it is inspected every time."""
    engine = DockerEngine(f"unix://{SOCKET}")
    rows = {row.id: row for row in await engine.rows()}
    known = {role: await engine.inspect(container.id) for role, container in containers.items() if role != "looping"}
    await engine.close()

    assert [role for role, container in known.items() if contradicts(rows[container.id], container)] == []
    assert rows[known["running"].id].health == "healthy"


def test_a_paused_container_runs_and_does_not_answer(scene):
    found = scene.until(lambda found: found.get(("homeostat_probe_success", "paused")) == 0)

    assert values(found, "paused").items() >= {"running": 1, "state=paused": 1}.items()
    assert found["homeostat_probe_success", "paused"] == 0
    assert found["homeostat_probe_success", "served"] == 1
    assert found["homeostat_probe_last_duration_seconds", "served"] < 1
    assert abs(found["homeostat_probe_timestamp_seconds", "served"] - time.time()) < 5


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("exited", {"exit_code": 7, "stopped_by_request": 0, "oom_killed": 0}),
        ("oom", {"exit_code": 137, "stopped_by_request": 0, "oom_killed": 1}),
        ("stopped", {"exit_code": 0, "stopped_by_request": 1}),
        ("killed", {"exit_code": 137, "stopped_by_request": 0}),
        ("reloaded", {"exit_code": 137, "stopped_by_request": 0}),
        ("restarted", {"exit_code": 137, "stopped_by_request": 0}),
    ],
)
def test_an_ended_container_tells_how_it_ended(scene, role, expected):
    expected = {"running": 0, "state=exited": 1, "restarts_total": 0, **expected}
    found = values(scene.until(lambda found: expected.items() <= values(found, role).items()), role)

    assert expected.items() <= found.items()
    assert abs(found["finish_timestamp_seconds"] - time.time()) < 120
    assert not found.keys() & {"memory_anon_bytes", "cpu_seconds_total", "pids", "processes", "cpu_limit_cores"}


def test_an_oom_kill_is_counted(scene):
    assert values(scene.samples(), "oom")["oom_kills_total"] >= 1


def test_restarts_by_the_policy_are_counted(scene):
    def waits(found):
        return values(found, "looping").items() >= {"state=restarting": 1}.items()

    scene.until(lambda found: values(found, "looping")["restarts_total"] >= 3)
    found = values(scene.until(waits), "looping")

    assert found["restarts_total"] >= 3
    assert (found["running"], found["exit_code"], found["stopped_by_request"]) == (0, 3, 0)


def test_another_exporter_still_knows_what_was_stopped(scene, port, tmp_path):
    with exporter(tmp_path, port()) as second:
        found = second.until(lambda found: values(found, "stopped")["stopped_by_request"] == 1)

    assert values(found, "stopped")["stopped_by_request"] == 1
    assert values(found, "killed")["stopped_by_request"] == 0


def test_a_crash_is_seen_within_a_second(scene, containers):
    containers["stopped"].start()
    scene.until(lambda found: values(found, "stopped")["running"] == 1)
    end_from_outside(containers["stopped"])
    start = time.monotonic()
    found = values(scene.until(lambda found: values(found, "stopped")["running"] == 0), "stopped")

    assert time.monotonic() - start < 1
    assert (found["running"], found["stopped_by_request"]) == (0, 0)


def test_promtool_finds_nothing_wrong(scene, servers):
    checked = subprocess.run(
        [servers["promtool"], "check", "metrics"], check=False, input=scene.page(), capture_output=True, text=True
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


class Proxy:
    """Between an exporter and the engine. Frozen, it takes connections and passes nothing on."""

    def __init__(self) -> None:
        self.is_thawed = asyncio.Event()
        self.is_thawed.set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def connect(self, reader, writer) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(SOCKET)
        for source, sink in ((reader, engine_writer), (engine_reader, writer)):
            self.tasks.add(asyncio.create_task(self.pump(source, sink)))

    async def pump(self, source, sink) -> None:
        try:
            while chunk := await source.read(65536):
                await self.is_thawed.wait()
                sink.write(chunk)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(0.05)


async def test_a_crash_is_seen_while_the_engine_hangs(scene, containers, port, tmp_path):
    proxy = Proxy()
    server = await asyncio.start_unix_server(proxy.connect, tmp_path / "proxy.sock")
    served = containers["served"]

    def play() -> tuple[float, dict[str, float]]:
        with exporter(tmp_path, port(), f"unix://{tmp_path}/proxy.sock") as running:
            running.samples()
            proxy.is_thawed.clear()
            end_from_outside(served)
            time.sleep(0.3)
            start = time.monotonic()
            found = values(running.samples(), "served")
            took_s = time.monotonic() - start
        return took_s, found

    try:
        took_s, found = await asyncio.to_thread(play)
    finally:
        server.close()
        await proxy.end()

    assert took_s < 2
    assert (found["running"], found["state=running"]) == (0, 1)
