"""What supervised processes use: a real process with a child, in a session of its own."""

import subprocess
import sys

import pytest
from fakes.guardian import FakeGuardian, FakeProcess
from prometheus_client.parser import text_string_to_metric_families

from exporters.collectors.process_resources import ProcessResourcesCollector
from exporters.machine import Sessions
from exporters.processtable import LinuxTable
from homeostat.encoder import render
from homeostat.errors import Unreachable
from homeostat.guardian_client import GuardianClient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
THREADED = "import threading,time,subprocess; t=threading.Thread(target=time.sleep, args=(60,), daemon=True); t.start()"


@pytest.fixture
async def guardian(tmp_path):
    guardian = FakeGuardian()
    await guardian.start(tmp_path / "g.sock")
    yield guardian
    await guardian.stop()


@pytest.fixture
def family():
    """A process with two threads and one child."""
    program = f"{THREADED}; p=subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as process:
        child = int(process.stdout.readline())
        yield process
        process.kill()
        subprocess.run(["kill", str(child)], check=False)


async def measured(tmp_path):
    client = GuardianClient(tmp_path / "g.sock")
    page = render(await ProcessResourcesCollector(client.processes, Sessions(LinuxTable())).collect()).decode()
    return {
        (sample.name.removeprefix("homeostat_process_"), sample.labels["workload"]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_a_process_is_measured_with_its_children(guardian, family, tmp_path):
    guardian.processes["api"] = FakeProcess("api", pid=family.pid)
    found = await measured(tmp_path)

    assert found["processes", "local/api"] == 2
    assert found["threads", "local/api"] == 3
    assert found["anon_memory_bytes", "local/api"] > 10**6
    assert 0 < found["worst_fd_ratio", "local/api"] < 1


async def test_a_process_that_does_not_run_is_left_out(guardian, tmp_path):
    guardian.processes["api"] = FakeProcess("api", state="backoff", pid=0)

    assert await measured(tmp_path) == {}


async def test_without_a_guardian_nothing_is_measured(tmp_path):
    with pytest.raises(Unreachable):
        await measured(tmp_path)
