"""The host as the exporter's container sees it with the rights of docker-compose.yml, and the engine's clock."""

import json
import os
import shutil
import sys
import time
import uuid
from pathlib import Path

import pytest

from exporters.host.engineclock import EngineClock
from exporters.host.linux import LinuxHost
from homeostat.clock import SystemClock
from homeostat.containers import DockerEngine

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
_LOOK = """
import dataclasses, json
from exporters.host.linux import LinuxHost
from exporters.processtable import LinuxTable
host = LinuxHost()
reading, spaces = host.read(), {place.mountpoint: host.space(place) for place in host.places()}
print(json.dumps({
    "interfaces": list(reading.interfaces),
    "disks": list(reading.disks),
    "memory": reading.numbers.memory_total,
    "spaces": {mountpoint: dataclasses.asdict(space) for mountpoint, space in spaces.items() if space},
    "names": [process.name for process in LinuxTable().processes()],
}))
"""


@pytest.fixture
def seen(engine, tmp_path):
    """A function that runs the readers in a container and gives what they saw."""
    import docker

    # Only what they need: the image has Python and nothing else.
    for package in ("exporters", "homeostat"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    client = docker.from_env()

    def run(**options):
        output = client.containers.run(
            "python:3.13-slim",
            ["python", "-B", "-c", _LOOK],
            name=f"homeostat-host-{uuid.uuid4().hex[:8]}",
            remove=True,
            cap_drop=["ALL"],
            read_only=True,
            security_opt=["no-new-privileges:true"],
            working_dir="/app",
            volumes={str(tmp_path): {"bind": "/app", "mode": "ro"}},
            **options,
        )
        return json.loads(output)

    yield run
    client.close()


def test_without_any_right_the_container_tells_the_hosts_figures_under_the_hosts_names(seen):
    host = LinuxHost()
    found = seen(pid_mode="host", network_mode="host")
    ours = {place.mountpoint: host.space(place) for place in host.places()}

    # Docker mounts /etc/hosts from its own folder: that filesystem can be asked in every container.
    assert found["spaces"]
    for mountpoint, space in found["spaces"].items():
        assert space["size"] == ours[mountpoint].size
        assert space["available"] == pytest.approx(ours[mountpoint].available, abs=2**30)
    assert set(found["disks"]) == set(host.read().disks)
    assert found["memory"] == host.read().numbers.memory_total
    assert {"lo", "docker0"} <= set(found["interfaces"])
    assert "dockerd" in found["names"]


def test_without_the_hosts_pids_the_container_tells_only_of_itself(seen):
    found = seen()

    assert found["names"] == ["python"]
    assert "docker0" not in found["interfaces"]
    assert "/" not in found["spaces"]
    assert found["spaces"]


@pytest.mark.skipif(sys.platform != "linux" or os.environ.get("DOCKER_HOST") is not None, reason="another machine's")
async def test_the_engine_of_this_machine_has_this_machines_clock(engine):
    docker = DockerEngine()
    clock = EngineClock(docker.system_time, SystemClock())
    try:
        await clock.refresh()
        start = time.monotonic()
        await clock.refresh()
    finally:
        await docker.close()

    skew = clock.skew()
    assert skew is not None
    assert abs(skew.offset_s) <= skew.max_error_s < 1
    assert time.monotonic() - start < 1
