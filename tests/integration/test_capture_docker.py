"""Evidence of real containers: one that tells secrets loudly, one that hangs, a paused one, one killed for memory."""

import contextlib
import json
import socket
import time
import uuid
from pathlib import Path

import pytest
from fakes.capturing import target, timed, tools
from fakes.daemon import FakeDaemon

from homeostat.containers import DockerEngine
from responder.capture import CaptureBounds, capture

pytestmark = pytest.mark.docker

PYTHON = "python:3.13-slim"
MIB = 2**20
BOUNDS = CaptureBounds()
#: What must never be in the evidence.
SECRETS = (
    "s3cr3t-of-env-7",
    "hunter2-in-log",
    "hunter3-in-url",
    "hunter4-in-check",
    "webhook-token-7",
    "MIIEpAIBAAKCAQEA",
)
#: 10 MiB of lines, a line of 1 MiB without an end in them, and then what a program that fails would say.
LOUD = """
import os, time
for n in range(100_000):
    print(f"{n} GET /items/{n} 200 " + "x" * 80)
print("y" * 2**20)
print("-----BEGIN RSA PRIVATE KEY-----\\n" + "MIIEpAIBAAKCAQEAx1y2\\n" * 12 + "-----END RSA PRIVATE KEY-----")
for n in range(40):
    print(f"{n} password=hunter2-in-log to postgres://app:hunter3-in-url@db/shop as", os.environ["API_TOKEN"])
    print('{"msg": "sent", "headers": {"Authorization": "Bearer webhook-token-7"}}')
    print("psycopg.OperationalError: connection failed: Connection refused", flush=True)
print("the last words", flush=True)
time.sleep(3600)
"""
HANGING = """
import os, socket, time
listener = socket.socket()
listener.bind(("0.0.0.0", 8080))
listener.listen(4)
if os.fork() == 0:
    os._exit(0)
held = [open("/dev/null") for _ in range(60)]
print("listening", flush=True)
time.sleep(3600)
"""
#: The engine watches for OOM kills from just after the start on: not before that.
GREEDY = "import time; print('growing', flush=True); time.sleep(0.5); x = [bytearray(10**6) for _ in range(200)]"
CHECK = "import sys; print('checked with token=hunter4-in-check'); sys.exit(3)"
#: Role -> how it is run.
ROLES = {
    "loud": {
        "command": ["python", "-c", LOUD],
        "environment": {"API_TOKEN": "s3cr3t-of-env-7"},
        "healthcheck": {"test": ["CMD", "python", "-c", CHECK], "interval": 5 * 10**8, "retries": 1},
    },
    "hanging": {
        "command": ["python", "-c", HANGING],
        "mem_limit": 64 * MIB,
        "ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 100}],
    },
    "paused": {"command": ["sh", "-c", "echo before; sleep 3600"]},
    "oom": {"command": ["python", "-c", GREEDY], "mem_limit": 24 * MIB, "memswap_limit": 24 * MIB},
    "terminal": {"command": ["sh", "-c", "echo on a terminal; sleep 3600"], "tty": True},
    "silent": {"command": ["sleep", "3600"], "log_config": {"Type": "none"}},
}


@pytest.fixture(scope="module")
def scene(engine):
    """Role -> its container's id, once each is as it shall be."""
    import docker

    client = docker.from_env()
    stamp = uuid.uuid4().hex[:8]
    running = {}
    try:
        for role, options in ROLES.items():
            name = f"homeostat-capture-{stamp}-{role}"
            running[role] = client.containers.run(PYTHON, detach=True, name=name, **options)
        running["paused"].pause()
        until(lambda: reloaded(running["oom"])["Status"] == "exited")
        until(lambda: reloaded(running["loud"])["Health"]["Status"] == "unhealthy")
        until(lambda: b"the last words" in running["loud"].logs(tail=1))
        until(lambda: b"listening" in running["hanging"].logs(tail=1))
        yield {role: container.id for role, container in running.items()}
    finally:
        for container in running.values():
            container.remove(force=True)
        client.close()


def reloaded(container):
    container.reload()
    return container.attrs["State"]


def until(is_so, within_s=20.0):
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
async def seen(scene, tmp_path):
    """A function: role -> (evidence, what it says of that container)."""
    client = DockerEngine()
    real = tools(
        client,
        tmp_path,
        proc=Path("/proc"),
        cgroups=Path("/sys/fs/cgroup"),
        secrets=lambda: [b"webhook-token-7"],
    )

    async def look(role, bounds=BOUNDS, given=real):
        container = await client.inspect(scene[role])
        evidence = await capture(target(container), given, bounds)
        return evidence, evidence["subjects"][container.name]

    yield look
    await client.close()


async def test_of_a_loud_container_the_end_is_told_without_its_secrets_in_no_time(seen):
    evidence, loud = await seen("loud")
    told = json.dumps(evidence)

    assert not [secret for secret in SECRETS if secret in told]
    assert len(told) <= BOUNDS.bytes
    assert evidence["seconds"] < 1.0  # 0.05 on an idle machine
    assert loud["logs"].startswith("[")
    assert loud["logs"].endswith("Z the last words")
    assert "password=[redacted] to postgres://app:[redacted]@db/shop as [redacted]" in loud["logs"]
    assert evidence["causes"][0]["cause"] == "connection_refused"
    assert evidence["causes"][0]["count"] == 40
    assert loud["health"]["checks"][-1]["exit_code"] == 3
    assert loud["health"]["checks"][-1]["output"] == "checked with token=[redacted]"
    assert loud["state"]["image_id"].startswith("sha256:")


async def test_of_a_hanging_container_the_queue_the_files_and_the_zombie_are_told(seen, scene):
    client = DockerEngine()
    [address] = (await client.inspect(scene["hanging"])).addresses
    await client.close()
    with contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(socket.create_connection((address, 8080), timeout=2))
        evidence, hanging = await seen("hanging")

    assert hanging["sockets"]["not_accepted"] == [{"listener": "0.0.0.0:8080", "waiting": 3}]
    assert (hanging["processes"]["count"], hanging["processes"]["zombies"]) == (2, 1)
    assert hanging["memory"]["open_files"] | {"open": 64, "soft_limit": 100} == hanging["memory"]["open_files"]
    assert hanging["memory"]["cgroup"]["limit_bytes"] == 64 * MIB
    assert hanging["health"] == {"not_there": "no health check has run"}
    assert evidence["seconds"] < 1.0


async def test_without_a_sight_of_the_hosts_processes_the_engine_tells_what_it_can(seen, tmp_path):
    client = DockerEngine()
    _, hanging = await seen("hanging", given=tools(client, tmp_path))
    await client.close()

    assert (hanging["processes"]["count"], hanging["processes"]["zombies"]) == (1, None)
    assert hanging["memory"]["cgroup"]["usage_bytes"] > MIB
    assert "not seen from here" in hanging["sockets"]["not_there"]


async def test_a_paused_container_answers_nothing_and_is_described_all_the_same(seen):
    evidence, paused = await seen("paused")

    assert paused["state"]["status"] == "paused"
    assert paused["logs"].endswith("before")
    assert paused["processes"]["count"] == 2
    assert evidence["seconds"] < 1.0


async def test_of_one_that_was_killed_for_its_memory_the_cause_is_told(seen):
    evidence, oom = await seen("oom")

    assert oom["state"] | {"exit_code": 137, "oom_killed": True, "status": "exited"} == oom["state"]
    assert [found["cause"] for found in evidence["causes"]] == ["oom"]
    assert oom["logs"].endswith("growing")
    assert "does not run" in oom["sockets"]["not_there"]
    assert "not running" in oom["processes"]["not_there"]


async def test_a_terminals_log_is_read(seen):
    _, terminal = await seen("terminal")

    assert terminal["logs"].endswith("Z on a terminal")


async def test_a_log_that_the_engine_cannot_read_is_said(seen):
    _, silent = await seen("silent")

    assert "does not support reading" in silent["logs"]["not_there"]


async def test_an_engine_that_hangs_costs_no_more_than_the_bound(scene, tmp_path):
    daemon = FakeDaemon()
    client = DockerEngine(await daemon.start(tmp_path / "docker.sock"))
    container = await client.inspect(daemon.add())
    daemon.delay_s = 30
    with timed(0.5, 1.2):
        evidence = await capture(target(container), tools(client, tmp_path), CaptureBounds(seconds=1.0))
    await client.close()
    await daemon.stop()

    found = evidence["subjects"][container.name]
    assert [name for name in found if found[name] == {"not_there": "not within 1 s"}] == [
        "state",
        "health",
        "processes",
        "memory",
        "logs",
    ]
    assert found["sockets"] == {"not_there": "the engine does not tell its process"}
