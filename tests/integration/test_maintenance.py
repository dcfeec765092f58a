"""Planned maintenance by API and command line, with a real Alertmanager and responder."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.stack import Site, eventually, never, stamp, wire_alert

HOMEOSTAT = Path(sys.executable).parent / "homeostat"
WINDOW = {"workloads": ["shop/db"], "start": "02:00", "end": "03:00", "weekdays": ["sun"], "timezone": "Europe/Berlin"}
PATH = "/api/v1/maintenance"

pytestmark = pytest.mark.servers


async def homeostat(site: Site, *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        HOMEOSTAT,
        "maintenance",
        *arguments,
        cwd=site.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(site.folder), "COLUMNS": "250", "SUDO_USER": "jane"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site(
        responder={"maintenance": [WINDOW]},
        processes={"api": {"command": ["api"]}},
        workloads={"local/api": {"enable": True}},
    )


@pytest.fixture
async def running(site: Site, servers: dict[str, Path]) -> AsyncIterator[Site]:
    async with site.alertmanager(servers["alertmanager"]), site.responder():
        yield site


async def ask(site: Site, method: str, path: str = PATH, **options: Any) -> tuple[int, Any]:
    headers = options.pop("headers", site.authorization)
    async with site.session.request(method, site.url + path, headers=headers, **options) as response:
        return response.status, await response.json()


def asked(*workloads: str, **more: object) -> dict[str, object]:
    return {"workloads": workloads or ["shop/web"], "seconds": 3600, "why": "new disks", "by": "jane", **more}


async def start(site: Site, *workloads: str, **more: object) -> dict[str, Any]:
    status, answer = await ask(site, "POST", json=asked(*workloads, **more))
    assert status == 200, answer
    return answer


async def silences(site: Site) -> list[dict[str, Any]]:
    """Those in force, as Alertmanager has them."""
    async with site.session.get(f"{site.alertmanager_url}/api/v2/silences") as response:
        return [each for each in await response.json() if each["status"]["state"] == "active"]


async def holds(site: Site) -> list[dict[str, Any]]:
    return json.loads((await site.get("/api/v1/holds"))[1])


async def state_of(site: Site, workload: str) -> str:
    for alert in await site.alertmanager_alerts():
        if alert["labels"].get("workload") == workload:
            return alert["status"]["state"]
    return ""


# --- What it does


async def test_it_is_a_silence_and_a_hold_for_the_same_time(running: Site):
    answer = await start(running, "shop/web", "file/a.b")

    [silence] = await silences(running)
    assert silence["matchers"] == [
        {"name": "workload", "value": "file/a[.]b|shop/web", "isRegex": True, "isEqual": True}
    ]
    assert (silence["createdBy"], silence["comment"]) == ("homeostat: jane", "new disks")
    held = await holds(running)
    assert [hold["pattern"] for hold in held] == ["file/a.b", "shop/web"]
    assert {hold["reason"] for hold in held} == {f"maintenance {answer['id']}: new disks"}
    assert {silence["endsAt"], *(hold["until"] for hold in held)} == {answer["until"]}
    assert (answer["whole"], answer["silence"]["done"], answer["hold"]["done"]) == (True, True, True)


async def test_it_mutes_its_workloads_and_nothing_else(running: Site):
    await start(running, "shop/*")
    for workload in ("shop/web", "shopping/web", ""):
        await running.fire(workload=workload, alertname=f"Of{workload.replace('/', '')}")

    async def is_muted() -> bool:
        return await state_of(running, "shop/web") == "suppressed"

    await eventually(is_muted)
    alerts = await running.alertmanager_alerts()
    assert len(alerts) == 3
    assert sorted(alert["labels"]["alertname"] for alert in alerts if alert["status"]["silencedBy"]) == ["Ofshopweb"]


async def test_of_everything_it_mutes_all_workloads_but_neither_host_nor_dead_man(running: Site):
    await start(running, "*")
    await running.fire(workload="a/b")
    await running.fire(workload="", alertname="HostDiskFull", remedy="")

    async def is_muted() -> bool:
        return await state_of(running, "a/b") == "suppressed"

    await eventually(is_muted)
    [host] = await running.alertmanager_alerts("HostDiskFull")
    assert host["status"]["state"] == "active"


async def test_the_responder_does_nothing_and_writes_down_why(running: Site):
    await start(running, "local/*")
    await running.deliver(wire_alert(workload="local/api"))

    async def is_refused() -> bool:
        [recovery] = await running.recoveries()
        return any("jane asked for hands off" in json.dumps(entry) for entry in recovery["entries"])

    await eventually(is_refused)
    [recovery] = await running.recoveries()
    assert "started" not in {entry["kind"] for entry in recovery["entries"]}


async def test_it_ends_as_a_whole(running: Site):
    answer = await start(running, "shop/web", "shop/db")
    await running.fire(workload="shop/web")

    status, ended = await ask(running, "DELETE", f"{PATH}/{answer['id']}")

    async def is_active() -> bool:
        return await state_of(running, "shop/web") == "active"

    assert (status, ended["whole"]) == (200, True)
    assert (await silences(running), await holds(running)) == ([], [])
    await eventually(is_active)


# --- Again, and beside others


async def test_the_same_at_the_same_time_is_one(running: Site):
    answers = await asyncio.gather(*(start(running) for _ in range(5)))

    assert len({answer["id"] for answer in answers}) == 1
    assert (len(await silences(running)), len(await holds(running))) == (1, 1)


async def test_once_more_makes_it_longer_and_never_shorter(running: Site):
    first = await start(running, seconds=600)
    longer = await start(running, seconds=1200, by="bob")
    shorter = await start(running, seconds=60)

    assert first["id"] == longer["id"] == shorter["id"]
    assert first["until"] < longer["until"] == shorter["until"]
    [silence] = await silences(running)
    [hold] = await holds(running)
    assert (silence["endsAt"], hold["until"]) == (longer["until"], longer["until"])
    assert silence["createdBy"] == "homeostat: bob"


async def test_a_hold_and_a_silence_of_somebody_else_are_left_alone(running: Site):
    body = {"pattern": "shop/web", "by": "bob", "reason": "heap dump"}
    await ask(running, "POST", "/api/v1/holds", json=body)
    foreign = {
        "matchers": [{"name": "workload", "value": "shop/web", "isRegex": True, "isEqual": True}],
        "startsAt": stamp(time.time()),
        "endsAt": stamp(time.time() + 60),
        "createdBy": "bob",
        "comment": "mine",
    }
    async with running.session.post(f"{running.alertmanager_url}/api/v2/silences", json=foreign) as response:
        assert response.status == 200

    answer = await start(running)
    _, listed = await ask(running, "GET")
    await ask(running, "DELETE", f"{PATH}/{answer['id']}")

    assert answer["whole"]
    assert "a hold of bob on shop/web is there already, until released" in answer["hold"]["detail"]
    assert [(each["by"], each["comment"]) for each in listed["foreign"]] == [("bob", "mine")]
    assert [hold["by"] for hold in await holds(running)] == ["bob"]
    assert [silence["createdBy"] for silence in await silences(running)] == ["bob"]


async def test_a_hold_that_ends_sooner_is_told_and_left_alone(running: Site):
    await ask(running, "POST", "/api/v1/holds", json={"pattern": "shop/web", "by": "bob", "seconds": 60})

    answer = await start(running)

    assert (answer["whole"], answer["silence"]["done"], answer["hold"]["done"]) == (False, True, False)
    assert "homeostat release shop/web" in answer["hold"]["detail"]
    assert [hold["by"] for hold in await holds(running)] == ["bob"]


async def test_of_two_that_need_a_hold_the_end_of_one_leaves_it_to_the_other(running: Site):
    one = await start(running, "shop/web", seconds=3600)
    other = await start(running, "shop/web", "shop/db", seconds=1200)

    await ask(running, "DELETE", f"{PATH}/{one['id']}")

    held = {hold["pattern"]: hold for hold in await holds(running)}
    assert set(held) == {"shop/web", "shop/db"}
    assert {hold["until"] for hold in held.values()} == {other["until"]}
    assert len(await silences(running)) == 1


# --- One of the two cannot be reached


async def test_without_alertmanager_the_hold_is_there_and_the_silence_is_told_to_be_missing(site: Site):
    async with site.responder():
        code, text = await homeostat(site, "start", "shop/web", "--for", "1h", "--why", "disks")
        _, listed = await ask(site, "GET")
        listing = await homeostat(site, "list")
        stopping = await homeostat(site, "stop", "shop/web")

        assert (code, "silence: NOT done: Alertmanager at" in text, "hold: done" in text) == (1, True, True), text
        assert [each["workloads"] for each in listed["maintenance"]] == [["shop/web"]]
        assert "does not answer" in listed["problems"][0]
        assert (listing[0], "does not answer" in listing[1]) == (1, True)
        assert (stopping[0], "lasts until it expires" in stopping[1]) == (1, True)
        assert await holds(site) == []


async def test_without_the_ledger_the_silence_is_there_and_the_hold_is_told_to_be_missing(
    site: Site, servers: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    from responder.ledger import StoreError

    async def fail(*_: object) -> None:
        raise StoreError("disk full")

    async with site.alertmanager(servers["alertmanager"]), site.responder() as parts:
        monkeypatch.setattr(parts.store, "put_hold", fail)
        code, text = await homeostat(site, "start", "shop/web", "--for", "1h", "--why", "disks")

        assert (code, "silence: done" in text, "hold: NOT done: disk full" in text) == (1, True, True), text
        assert len(await silences(site)) == 1


async def test_with_neither_nothing_is_claimed(site: Site, monkeypatch: pytest.MonkeyPatch):
    from responder.ledger import StoreError

    async def fail(*_: object) -> None:
        raise StoreError("disk full")

    async with site.responder() as parts:
        monkeypatch.setattr(parts.store, "holds", fail)
        status, answer = await ask(site, "POST", json=asked())
        stopped, words = await ask(site, "DELETE", f"{PATH}/01234567")

    assert (status, stopped) == (503, 503)
    assert "not started" in answer["error"]
    assert "disk full" in answer["error"]
    assert "as far as can be seen" in words["error"]


async def test_what_was_missing_is_made_up_for_by_starting_again(site: Site, servers: dict[str, Path]):
    async with site.responder():
        first = await start(site)
        async with site.alertmanager(servers["alertmanager"]):
            second = await start(site)

            assert (first["whole"], second["whole"], first["id"]) == (False, True, second["id"])
            assert (len(await silences(site)), len(await holds(site))) == (1, 1)


async def test_without_the_responder_nothing_is_done_and_the_way_out_is_told(site: Site, servers: dict[str, Path]):
    async with site.alertmanager(servers["alertmanager"]):
        code, text = await homeostat(site, "start", "shop/web", "--for", "1h", "--why", "disks")

        assert (code, "Nothing was done" in text, str(site.settings.state_dir / "hold") in text) == (3, True, True)
        assert await silences(site) == []
        assert not (site.settings.state_dir / "hold").exists()
    for arguments in (["list"], ["stop", "shop/web"], ["stop", "01234567"]):
        code, text = await homeostat(site, *arguments)
        assert (code, "does not answer" in text) == (3, True)


# --- The command


async def test_it_is_started_listed_and_stopped_from_the_command_line(running: Site):
    started = await homeostat(
        running, "start", "shop/web", "--for", "2h", "--why", "[red]new[/red] disks", "--by", "bob"
    )
    await running.fire(workload="shop/web")

    async def is_muted() -> bool:
        return await state_of(running, "shop/web") == "suppressed"

    await eventually(is_muted)
    code, text = await homeostat(running, "list")
    as_json = json.loads((await homeostat(running, "list", "--json"))[1])
    stopped = await homeostat(running, "stop", "shop/web")
    after = await homeostat(running, "list")

    assert (started[0], "silence: done" in started[1], "hold: done" in started[1]) == (0, True, True), started
    assert code == 0, text
    assert all(word in text for word in ("shop/web", "bob", "[red]new[/red] disks", "sun 02:00-03:00 Europe/Berlin"))
    [one] = as_json["maintenance"]
    assert (one["muted"], one["alerts"]) == (1, ["WorkloadDown shop/web"])
    [window] = as_json["windows"]
    assert (window["workloads"], window["from"] < window["until"]) == (["shop/db"], True)
    assert (stopped[0], "has ended" in stopped[1]) == (0, True), stopped
    assert (after[0], "no maintenance" in after[1]) == (0, True)


async def test_a_part_of_it_cannot_be_stopped(running: Site):
    answer = await start(running, "shop/web", "shop/db")

    part = await homeostat(running, "stop", "shop/web")
    unknown = await homeostat(running, "stop", "shop/*")
    assert len(await silences(running)) == 1
    whole = await homeostat(running, "stop", "shop/db", "shop/web")
    gone = await homeostat(running, "stop", answer["id"])

    assert (part[0], "ended as a whole" in part[1], answer["id"] in part[1]) == (3, True, True)
    assert (unknown[0], "no maintenance of shop/*" in unknown[1]) == (3, True)
    assert whole[0] == 0
    assert (gone[0], f"no maintenance {answer['id']}" in gone[1]) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["start", "shop/web", "--why", "x"], "--for"),
        (["start", "shop/web", "--for", "1h"], "--why"),
        (["start", "shop/web", "--for", "8d", "--why", "x"], "from 1s to 7d"),
        (["start", "shop/web", "--for", "soon", "--why", "x"], "must be a duration"),
        (["start", "--for", "1h", "--why", "x"], "WORKLOAD"),
        (["stop"], "WORKLOAD"),
        (["list", "shop/web"], "unexpected extra argument"),
    ],
)
async def test_wrong_arguments_are_told(site: Site, arguments: list[str], words: str):
    code, text = await homeostat(site, *arguments)

    assert (code, words in text, "Traceback" in text) == (2, True, False), text


async def test_a_workload_of_no_form_is_refused_in_words(running: Site):
    code, text = await homeostat(running, "start", "shop", "--for", "1h", "--why", "x")

    assert (code, "workloads.0: must be PROJECT/SERVICE" in text) == (3, True), text


# --- The API


@pytest.mark.parametrize(("method", "path"), [("POST", PATH), ("DELETE", f"{PATH}/01234567")])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_changing_anything_needs_the_token(site: Site, method: str, path: str, headers: dict[str, str]):
    async with site.responder():
        status, _ = await ask(site, method, path, json=asked(), headers=headers)

        assert status == 401
        assert await holds(site) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"workloads": []}, "at least 1 entry"),
        ({"workloads": ["shop"]}, "PROJECT/SERVICE"),
        ({"workloads": ["*/web"]}, "PROJECT/SERVICE"),
        ({"workloads": [".*"]}, "PROJECT/SERVICE"),
        ({"workloads": ['shop/web"} or vector(1)']}, "PROJECT/SERVICE"),
        ({"workloads": ["shop/web"] * 101}, "at most 100"),
        ({"seconds": 0}, "greater than or equal"),
        ({"seconds": 604801}, "less than or equal to 604800"),
        ({"seconds": float("nan")}, "greater than or equal"),
        ({"why": " "}, "must say why"),
        ({"why": "a\nb"}, "must say why"),
        ({"why": "x" * 501}, "must say why"),
        ({"by": ""}, "must be a name"),
    ],
)
async def test_what_is_wrong_is_refused_in_words(site: Site, more: dict[str, object], words: str):
    async with site.responder():
        status, answer = await ask(site, "POST", data=json.dumps(asked() | more))

        assert status == 400
        assert words in answer["error"]
        assert await holds(site) == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "{}", "[" * 60_000, '{"workloads": {"a": 1}}', "x" * 70_000])
async def test_a_body_that_is_none_is_refused(site: Site, body: str):
    async with site.responder():
        status, answer = await ask(site, "POST", data=body)

        assert status in (400, 413)
        assert answer["error"]


async def test_what_does_not_run_cannot_be_stopped(running: Site):
    assert await ask(running, "DELETE", f"{PATH}/01234567") == (404, {"error": "no maintenance 01234567"})


async def test_it_ends_by_itself(running: Site):
    await start(running, seconds=1)

    async def is_over() -> bool:
        _, listed = await ask(running, "GET")
        return not listed["maintenance"] and not await silences(running)

    await eventually(is_over, every_s=0.2)


async def test_nobody_is_called_while_it_runs(running: Site):
    """An escalation is about its workload, and is muted with it."""
    await start(running)
    await running.fire(alertname="HomeostatEscalation", workload="shop/web", remedy="")

    async def is_active() -> bool:
        return await state_of(running, "shop/web") == "active"

    async def is_muted() -> bool:
        return await state_of(running, "shop/web") == "suppressed"

    await eventually(is_muted)
    await never(is_active, 0.3)
