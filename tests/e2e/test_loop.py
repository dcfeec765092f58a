"""A real fault in a real application becomes an alert, a notification, one repair and a verified recovery."""

import asyncio
import os
import signal

import pytest

from chaos.faults import FAULTS
from chaos.shop import container_pid, run_or_raise
from homeostat.alertmanager_api import AlertmanagerClient
from homeostat.clock import parse_rfc3339
from homeostat.containers import DockerEngine
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import control_socket_path

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.servers, pytest.mark.timeout(300)]


def steps(recovery):
    return [entry["action"] for entry in recovery["entries"] if entry["kind"] == "started"]


async def started_at(name):
    engine = DockerEngine()
    try:
        return (await engine.inspect(name)).started_at
    finally:
        await engine.close()


async def recoveries(scene, workload, since=0.0, remedies=("down", "unresponsive", "memory", "crash_loop", "record")):
    url = f"http://{scene.stack.settings.responder.listen}/api/v1/recoveries?limit=500"
    async with scene.follower.session.get(url) as response:
        rows = await response.json()
    return [
        row
        for row in reversed(rows)
        if row["workload"] == workload and parse_rfc3339(row["opened_at"]) >= since and row["remedy"] in remedies
    ]


async def until(condition, timeout_s, what):
    """The first true value of an async condition."""
    for _ in range(int(timeout_s / 0.5)):
        if value := await condition():
            return value
        await asyncio.sleep(0.5)
    pytest.fail(f"not within {timeout_s} s: {what}")


async def play(scene, fault):
    timeline, against = await scene.play(fault, lambda _timeline: None)
    print(timeline.seconds())
    assert timeline.is_verified, timeline
    assert against == []
    return timeline


async def test_crash_is_restarted_once_and_verified(scene, shop):
    timeline = await play(scene, "crash")
    first_start = await started_at(shop.container())

    await asyncio.sleep(15)
    assert timeline.action == "restart"
    assert await started_at(shop.container()) == first_start, "restarted again although it was well"


async def test_hang_is_restarted_and_verified(scene):
    timeline = await play(scene, "hang")

    assert timeline.action.endswith("restart")


async def test_pause_is_unpaused_not_restarted(scene, shop):
    before = await started_at(shop.container())

    timeline = await play(scene, "pause")

    assert timeline.action == "unpause"
    assert await started_at(shop.container()) == before


async def test_oom_kill_is_restarted_and_told_to_people(scene, shop):
    now = scene.clock.now()
    async with scene.follower.session.post(f"{shop.url}/faults/memory-leak?mb_per_s=60") as response:
        assert response.status == 200

    timeline = await scene.follower.follow("oom", shop.workload, now, 90, lambda _: None)

    assert timeline.is_verified, timeline
    alertmanager = AlertmanagerClient(scene.stack.settings.responder.alertmanager_url, scene.follower.session)
    held = await alertmanager.held('alertname="WorkloadOOMKilled"')
    assert [alert.labels["workload"] for alert in held] == [shop.workload]


async def test_stop_by_its_operator_is_respected(scene, shop):
    now = scene.clock.now()
    await shop.compose("stop", "web")

    await asyncio.sleep(20)
    acted = [steps(recovery) for recovery in await recoveries(scene, shop.workload, now)]
    await shop.compose("start", "web")
    assert acted == []


async def test_crash_that_docker_heals_is_only_recorded(scene, shop):
    now = scene.clock.now()
    worker = f"{shop.project}/worker"
    os.kill(await container_pid(shop.container("worker")), signal.SIGKILL)

    async def ended():
        rows = await recoveries(scene, worker, now)
        return rows if rows and all(row["final"] for row in rows) else None

    rows = await until(ended, 120, "the restart by Docker is in the ledger")
    assert [row["final"] for row in rows] == ["self_resolved"]
    assert [steps(row) for row in rows] == [[]]


async def test_crash_loop_is_escalated_to_alertmanager(scene, shop):
    name = f"{shop.project}-looper"
    labels = ["--label", "homeostat.enable=true"]
    await run_or_raise(
        "docker",
        "run",
        "-d",
        "--name",
        name,
        "--restart",
        "always",
        *labels,
        "python:3.13-slim",
        "sh",
        "-c",
        "sleep 0.2; exit 7",
    )
    try:
        alertmanager = AlertmanagerClient(scene.stack.settings.responder.alertmanager_url, scene.follower.session)
        matcher = f'workload="container/{name}"'

        async def escalated():
            return [a for a in await alertmanager.held(matcher) if a.labels["alertname"] == "HomeostatEscalation"]

        (escalation,) = await until(escalated, 60, "an escalation in Alertmanager")
        assert escalation.labels["source_alert"] == "WorkloadCrashLooping"
        assert all(steps(row) == [] for row in await recoveries(scene, f"container/{name}", remedies=("crash_loop",)))
    finally:
        await run_or_raise("docker", "rm", "--force", name)


async def test_responder_killed_while_acting_verifies_and_does_not_repeat(scene, shop):
    guardian = GuardianClient(control_socket_path(scene.stack.settings.state_dir))
    now = scene.clock.now()
    await FAULTS["hang"].inject(shop)

    async def restarting():
        rows = await recoveries(scene, shop.workload, now)
        return any("restart" in steps(row) for row in rows)

    await until(restarting, 60, "the restart has started")
    pid = next(s.pid for s in await guardian.processes() if s.workload == "homeostat/responder")
    os.kill(pid, signal.SIGKILL)

    async def ended():
        try:
            rows = await recoveries(scene, shop.workload, now)
        except OSError:
            return None
        return rows if rows and all(row["final"] for row in rows) else None

    rows = await until(ended, 90, "every recovery has ended")
    (recovery,) = [row for row in rows if "restart" in steps(row)]
    print(recovery["entries"])
    assert recovery["final"] == "verified"
    assert steps(recovery).count("restart") == 1
    assert any(entry.get("status") == "interrupted" for entry in recovery["entries"])


async def test_alertmanager_down_for_a_minute_loses_nothing(scene, shop):
    guardian = GuardianClient(control_socket_path(scene.stack.settings.state_dir))
    await guardian._request("POST", "/processes/alertmanager/stop", 20)
    now = scene.clock.now()
    await FAULTS["crash"].inject(shop)

    await asyncio.sleep(60)
    assert await recoveries(scene, shop.workload, now) == []
    await guardian._request("POST", "/processes/alertmanager/start", 20)
    timeline = await scene.follower.follow("crash", shop.workload, now, 150, lambda _: None)
    assert timeline.is_verified, timeline
