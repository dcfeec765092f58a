"""The responder beside a real Alertmanager with the shipped configuration: deliveries, refusals, calls to people."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes.stack import Server, Site, eventually, never

pytestmark = pytest.mark.servers

LOCAL = {
    "processes": {"api": {"command": ["api"]}},
    "workloads": {"local/api": {"enable": True}},
    # A ladder without steps: people are called at once, with nobody there to repair anything.
    "ladders": {"down": {"steps": []}},
}


@pytest.fixture
async def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture
async def alertmanager(site: Site, servers: dict[str, Path]) -> AsyncIterator[Server]:
    async with site.alertmanager(servers["alertmanager"]) as server:
        yield server


async def silence(site: Site, **labels: str) -> str:
    matchers = [{"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in labels.items()]
    body = {
        "matchers": matchers,
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2999-01-01T00:00:00Z",
        "createdBy": "test",
        "comment": "maintenance",
    }
    async with site.session.post(f"{site.alertmanager_url}/api/v2/silences", json=body) as response:
        return str((await response.json())["silenceID"])


async def expire(site: Site, silence_id: str) -> None:
    async with site.session.delete(f"{site.alertmanager_url}/api/v2/silence/{silence_id}") as response:
        assert response.status == 200


def steps_taken(recovery: dict) -> list[str]:
    return [entry["action"] for entry in recovery["entries"] if entry["kind"] == "started"]


def waits_for(recovery: dict) -> list[str]:
    return [entry["reason"] for entry in recovery["entries"] if entry["kind"] == "waiting"]


# --- Refusals reach people

REFUSED = [
    pytest.param({"workload": "shop/unknown"}, "unknown_workload", id="unknown workload"),
    pytest.param({"workload": "local/unknown"}, "unknown_workload", id="unknown process"),
    pytest.param({"workload": "local/api", "remedy": "reboot"}, "unknown_remedy", id="unknown remedy"),
    pytest.param({"workload": ""}, "empty_selector", id="no workload"),
    pytest.param({"workload": "$(rm -rf /)"}, "unknown_workload", id="shell"),
    pytest.param({"workload": "../../etc/passwd"}, "unknown_workload", id="path"),
    pytest.param({"workload": "{{ .Labels }}"}, "unknown_workload", id="template"),
    pytest.param({"workload": '"} or up{'}, "unknown_workload", id="PromQL"),
    pytest.param({"workload": ".*"}, "unknown_workload", id="pattern"),
    pytest.param({"workload": "local/api", "remedy": "{{ .Labels }}"}, "unknown_remedy", id="template as remedy"),
    pytest.param({"workload": "local/api", "remedy": "../down"}, "unknown_remedy", id="path as remedy"),
]


async def test_what_must_not_be_repaired_is_refused_and_people_are_called(
    make_site: Callable[..., Site], servers: dict[str, Path]
):
    site = make_site(processes={"api": {"command": ["api"]}}, workloads={"local/api": {"enable": True}})
    async with site.alertmanager(servers["alertmanager"]), site.responder():
        for n, case in enumerate(REFUSED):
            await site.fire(case=str(n), **case.values[0])

        async def are_all_escalated() -> bool:
            return len(await site.escalations()) == len(REFUSED)

        await eventually(are_all_escalated)
        recoveries = await site.recoveries()

    assert [steps_taken(recovery) for recovery in recoveries] == [[]] * len(REFUSED)
    for recovery in recoveries:
        labels, reason = REFUSED[await _case(site, recovery)].values
        assert recovery["workload"] == labels["workload"]
        refusals = [entry["reason"] for entry in recovery["entries"] if entry["kind"] == "refused"]
        assert refusals == [reason]
        assert recovery["final"] == "escalated"
        assert recovery["reason"].startswith(reason)


async def _case(_site: Site, recovery: dict) -> int:
    """Which of REFUSED: workload and remedy tell them apart."""
    found = [
        n
        for n, case in enumerate(REFUSED)
        if case.values[0]["workload"] == recovery["workload"]
        and case.values[0].get("remedy", "down") == recovery["remedy"]
    ]
    return found[0]


async def test_an_escalation_carries_what_people_need_and_text_stays_text(site: Site, alertmanager: Server):
    async with site.responder():
        await site.fire(workload='"} or up{', container="{{ .Labels }}")

        [escalation] = await eventually(site.escalations)

    labels, annotations = escalation["labels"], escalation["annotations"]
    assert labels["workload"] == '"} or up{'
    assert labels["container"] == "{{ .Labels }}"
    assert labels["source_alert"] == "WorkloadDown"
    assert labels["severity"] == "critical"
    assert "remedy" not in labels
    assert "refused (unknown_workload)" in annotations["transcript"]
    assert [receiver["name"] for receiver in escalation["receivers"]] == ["people"]


async def test_an_escalation_never_comes_back_as_trouble(site: Site, alertmanager: Server):
    """Not even when somebody's route sends it to us: it would answer itself for ever."""
    async with site.responder():
        await site.fire()
        [escalation] = await eventually(site.escalations)
        alert = {
            "status": "firing",
            "labels": escalation["labels"],
            "startsAt": escalation["startsAt"],
            "fingerprint": escalation["fingerprint"],
        }
        assert await site.deliver(alert) == 202

        async def is_taken_for_trouble() -> bool:
            return len(await site.recoveries()) > 1 or len(await site.escalations()) > 1

        await never(is_taken_for_trouble, 2.5)


# --- Deliveries


async def test_alertmanager_delivers_with_its_token_and_each_alert_is_one_episode(site: Site, alertmanager: Server):
    async with site.responder():
        for n in range(20):
            await site.fire(workload=f"shop/w{n}")

        async def are_all_there() -> bool:
            return len(await site.recoveries()) == 20

        await eventually(are_all_there)
        assert await site.metric('homeostat_webhook_requests_total{code="401"}') == 0
        assert await site.metric('homeostat_webhook_requests_total{code="202"}') > 0

        async def is_any_repeated() -> bool:
            return len(await site.recoveries()) != 20

        await never(is_any_repeated, 1.5)


async def test_with_a_wrong_token_nothing_is_taken_in_and_the_alert_is_found_all_the_same(
    site: Site, alertmanager: Server
):
    """Rotation gone wrong: deliveries fail with 401, and the comparison with Alertmanager's list mends it."""
    async with site.responder() as parts:
        parts.live.tokens = (b"another-token-0123456789",)
        await site.fire()

        async def is_adopted() -> bool:
            return len(await site.recoveries()) == 1

        await eventually(is_adopted)
        assert await site.metric('homeostat_webhook_requests_total{code="202"}') == 0
        assert await site.metric('homeostat_webhook_requests_total{code="401"}') > 0


async def test_what_fires_while_the_responder_is_down_is_not_lost(site: Site, alertmanager: Server):
    for n in range(5):
        await site.fire(workload=f"shop/w{n}")
    await asyncio.sleep(1.0)

    async with site.responder():

        async def workloads() -> bool:
            return {recovery["workload"] for recovery in await site.recoveries()} == {f"shop/w{n}" for n in range(5)}

        await eventually(workloads)


async def test_without_reconciliation_the_delivery_itself_comes_again(make_site, servers: dict[str, Path]):
    site = make_site(responder={"reconcile_interval": "1h"})
    async with site.alertmanager(servers["alertmanager"]):
        await site.fire()
        await asyncio.sleep(0.5)

        async with site.responder():

            async def is_there() -> bool:
                return len(await site.recoveries()) == 1

            await eventually(is_there, within_s=12)
            assert await site.metric('homeostat_webhook_requests_total{code="202"}') == 1


async def test_alert_names_and_labels_in_any_script_are_found_again(make_site, servers: dict[str, Path]):
    """Otherwise an active alert looks as if it had ended, and nobody would do anything."""
    site = make_site(**LOCAL)
    names = ["Überlastet", 'quoted "name"', "back\\slash", "mit, Komma}", "tab\there", "two\nlines", "\U0001f525"]
    async with site.alertmanager(servers["alertmanager"]), site.responder():
        for name in names:
            await site.fire(alertname=name, workload="local/api", remedy="memory")

        async def are_all_waiting() -> bool:
            recoveries = await site.recoveries()
            return len(recoveries) == len(names) and all(waits_for(recovery) for recovery in recoveries)

        await eventually(are_all_waiting)
        # For Prometheus, which is not there; "not_active" would mean that Alertmanager was not seen to hold them.
        reasons = {recovery["alert"]: waits_for(recovery) for recovery in await site.recoveries()}
        assert reasons == {key: ["rule_unreadable"] for key in names}


# --- Silences


async def test_while_silenced_nothing_happens_and_then_it_goes_on(make_site, servers: dict[str, Path]):
    site = make_site(**{**LOCAL, "ladders": {"down": {"steps": [{"action": "restart"}]}}})
    async with site.alertmanager(servers["alertmanager"]), site.responder():
        await site.fire(workload="local/api", alertname="Muted")
        # Silenced after the delivery: only a look at Alertmanager just before the step can tell.
        silence_id = await silence(site, alertname="Muted")
        await site.deliver(await _as_delivered(site, "Muted"))

        async def is_touched() -> bool:
            recoveries = await site.recoveries()
            return any(steps_taken(recovery) or recovery["final"] for recovery in recoveries)

        await never(is_touched, 2.0)
        assert await site.escalations() == []

        async def goes_on() -> bool:
            return [waits_for(recovery) for recovery in await site.recoveries()] == [["muted", "rule_unreadable"]]

        await expire(site, silence_id)
        await eventually(goes_on, within_s=12)  # as far as it can without a Prometheus


async def _as_delivered(site: Site, name: str) -> dict[str, object]:
    [held] = await site.alertmanager_alerts(name)
    return {
        "status": "firing",
        "labels": held["labels"],
        "startsAt": held["startsAt"],
        "fingerprint": held["fingerprint"],
    }


# --- Alertmanager dies


async def test_an_escalation_is_posted_again_after_alertmanager_was_killed_and_nothing_else_happens_again(
    make_site, servers: dict[str, Path]
):
    site = make_site(**LOCAL)
    async with site.alertmanager(servers["alertmanager"]) as alertmanager, site.responder():
        await site.fire(workload="local/api")
        [before] = await eventually(site.escalations)
        alertmanager.kill()
        assert await site.escalations() == []

        await alertmanager.start()

        [after] = await eventually(site.escalations)
        assert after["fingerprint"] == before["fingerprint"]
        await site.fire(workload="local/api")  # as Prometheus goes on doing

        async def is_second() -> bool:
            return len(await site.recoveries()) != 1 or len(await site.escalations()) > 1

        await never(is_second, 2.5)
        [recovery] = await site.recoveries()
        assert recovery["closed_at"] is None


async def test_while_alertmanager_is_away_an_escalation_counts_as_undelivered(make_site, servers: dict[str, Path]):
    site = make_site(**LOCAL)
    async with site.responder():
        await site.deliver(
            {
                "status": "firing",
                "labels": {"alertname": "WorkloadDown", "workload": "local/api", "remedy": "down"},
                "startsAt": "2026-01-01T00:00:00Z",
                "fingerprint": "0" * 16,
            }
        )

        async def is_undelivered() -> bool:
            return await site.metric("homeostat_escalations_undelivered") == 1

        await eventually(is_undelivered)
        async with site.alertmanager(servers["alertmanager"]):
            await eventually(site.escalations)

            async def is_delivered() -> bool:
                return await site.metric("homeostat_escalations_undelivered") == 0

            await eventually(is_delivered)


# --- Not an Alertmanager at all

NO_ALERTMANAGER = [b"[]]", b"{}", b"[1]", b"null", b'[{"fingerprint": "x"}]', b'{"status": "error"}', b'"text"']
#: As 0.33 answers, with a state that no version has yet.
NEWER = (
    b'[{"fingerprint": "0000000000000000", "labels": {}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",'
    b' "updatedAt": "2026-01-01T00:00:00Z", "status": {"state": "paused", "silencedBy": [], "inhibitedBy": []}}]'
)


@pytest.mark.parametrize("answer", [*NO_ALERTMANAGER, NEWER], ids=str)
async def test_an_answer_that_is_none_is_taken_for_no_answer(site: Site, answer: bytes):
    from aiohttp import web

    from homeostat.quantities import host_port

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=answer, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/api/v2/alerts", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, *host_port(site.settings.stack.alertmanager)).start()
    site.write(**LOCAL)
    site.write(ladders={"down": {"steps": [{"action": "restart"}]}})
    try:
        async with site.responder() as parts:
            await site.deliver(
                {
                    "status": "firing",
                    "labels": {"alertname": "WorkloadDown", "workload": "local/api", "remedy": "down"},
                    "startsAt": "2026-01-01T00:00:00Z",
                    "fingerprint": "0" * 16,
                }
            )
            await parts.reconciler.once()

            async def has_decided() -> bool:
                return any(entry["kind"] != "opened" for entry in (await site.recoveries())[0]["entries"])

            await eventually(has_decided)
            [recovery] = await site.recoveries()
            assert steps_taken(recovery) == []
    finally:
        await runner.cleanup()


# --- The dead man


async def test_a_missing_dead_man_is_told_to_people(make_site, servers: dict[str, Path]):
    site = make_site(responder={"dead_man_timeout": "2s", "reconcile_interval": "500ms"})

    async def missing() -> bool:
        return bool(await site.alertmanager_alerts("HomeostatDeadManMissing"))

    async with site.alertmanager(servers["alertmanager"]), site.responder():
        await site.fire(alertname="HomeostatDeadMan", remedy="")
        await never(missing, 1.5)

        [alert] = await eventually(lambda: site.alertmanager_alerts("HomeostatDeadManMissing"), within_s=5)
        assert alert["labels"]["severity"] == "critical"
        assert [receiver["name"] for receiver in alert["receivers"]] == ["people"]
        assert await site.recoveries() == []
