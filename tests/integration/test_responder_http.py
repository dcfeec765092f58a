"""The responder's own HTTP edge, on a real port, with no Alertmanager near it."""

import asyncio
import contextlib
import gzip
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from blockbuster import blockbuster_ctx
from fakes.stack import TOKEN, Site, eventually, never, wire_alert, wire_body

from responder.app import Parts


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with aiohttp.ClientSession() as session:
        yield Site(tmp_path / "site", session, {"responder": {"body_limit": "64KiB"}})


@pytest.fixture
async def parts(site: Site) -> AsyncIterator[Parts]:
    """The running responder; what blocks its loop is an error."""
    async with site.responder() as parts:
        with blockbuster_ctx(scanned_modules=["responder", "homeostat"]) as blockbuster:
            # /proc is memory: reading it waits for nothing.
            for function in ("io.BufferedReader.read", "os.listdir"):
                blockbuster.functions[function].can_block_in("process_collector.py", "collect")
            yield parts


async def stored(site: Site) -> int:
    return len(await site.recoveries())


# --- Who may deliver

NO_ENTRY = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer wrong-token-0123456789"},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN},
]


@pytest.mark.parametrize("headers", NO_ENTRY, ids=str)
async def test_without_a_valid_token_nothing_is_stored(site: Site, parts: Parts, headers: dict[str, str]):
    async with site.session.post(
        f"{site.url}/webhook/alertmanager", data=wire_body(wire_alert()), headers=headers
    ) as response:
        assert response.status == 401
        assert TOKEN not in await response.text()

    assert await stored(site) == 0


async def raw(site: Site, *lines: bytes, answer_bytes: int = 400) -> bytes:
    """Send bytes that no well-behaved client sends; what comes back first."""
    host, port = site.settings.responder.listen.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\r\n".join(lines))
    await writer.drain()
    async with asyncio.timeout(5):
        answer = await reader.read(answer_bytes)
    writer.close()
    return answer


POST = b"POST /webhook/alertmanager HTTP/1.1"
AUTHORISED = f"Authorization: Bearer {TOKEN}".encode()


async def test_without_a_valid_token_the_body_is_not_waited_for(site: Site, parts: Parts):
    answer = await raw(site, POST, b"Host: x", b"Content-Length: 1000000", b"", b"{")

    assert answer.startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("token", [b"\xff\xfe", b"t\xc3\xb6ken", b"\xed\xa0\x80"])
async def test_a_header_that_is_not_ascii_is_only_a_wrong_token(site: Site, parts: Parts, token: bytes):
    answer = await raw(site, POST, b"Host: x", b"Authorization: Bearer " + token, b"Content-Length: 0", b"", b"")

    assert answer.startswith(b"HTTP/1.1 401")


async def test_a_second_token_is_valid_while_tokens_are_rotated(site: Site):
    (site.folder / "secrets/next-token").write_text("the-next-token-0123456789\n")
    site.data["responder"]["token_files"] = ["secrets/webhook-token", "secrets/next-token"]
    site.write()

    async with site.responder():
        assert await site.deliver(wire_alert(1)) == 202
        assert await site.deliver(wire_alert(2), token="the-next-token-0123456789") == 202
        assert await site.deliver(wire_alert(3), token="the-last-token-0123456789") == 401


# --- What may be delivered

MALFORMED = [b"{}", b"[]", b"no JSON", b"\xff", b"[" * 50_000, wire_body({"status": "firing"}), wire_body("text")]


@pytest.mark.parametrize("body", MALFORMED, ids=[str(body[:20]) for body in MALFORMED])
async def test_what_is_no_payload_is_answered_400_in_words(site: Site, parts: Parts, body: bytes):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with site.session.post(f"{site.url}/webhook/alertmanager", data=body, headers=headers) as response:
        assert response.status == 400
        assert "not an Alertmanager payload" in (await response.json())["error"]

    assert await stored(site) == 0


async def test_one_bad_alert_turns_the_whole_delivery_away(site: Site, parts: Parts):
    assert await site.deliver(wire_alert(1), {**wire_alert(2), "status": "unknown"}) == 400

    assert await stored(site) == 0


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 1024):
        yield b" " * 1024


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with a length", "chunked"])
async def test_a_body_over_the_limit_is_answered_413(site: Site, parts: Parts, is_chunked: bool):
    data = chunks(80 * 1024) if is_chunked else b" " * (80 * 1024)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with site.session.post(f"{site.url}/webhook/alertmanager", data=data, headers=headers) as response:
        assert response.status == 413
        assert "body_limit" in await response.text()

    assert await stored(site) == 0
    assert await site.deliver(wire_alert()) == 202


async def test_a_body_of_exactly_the_limit_is_taken(site: Site, parts: Parts):
    body = wire_body(wire_alert())

    assert await site.deliver(body=body + b" " * (64 * 1024 - len(body))) == 202


async def test_a_small_body_that_unpacks_to_a_large_one_is_answered_413(site: Site, parts: Parts):
    packed = gzip.compress(b" " * 50_000_000)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Encoding": "gzip"}
    async with site.session.post(f"{site.url}/webhook/alertmanager", data=packed, headers=headers) as response:
        assert response.status == 413


async def test_a_body_that_is_not_packed_as_it_says_is_answered_400(site: Site, parts: Parts):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Encoding": "gzip"}
    async with site.session.post(
        f"{site.url}/webhook/alertmanager", data=wire_body(wire_alert()), headers=headers
    ) as response:
        assert response.status == 400


async def test_a_sender_that_hangs_up_in_the_middle_stores_nothing(site: Site, parts: Parts):
    host, port = site.settings.responder.listen.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    body = wire_body(wire_alert())
    head = [POST, b"Host: x", AUTHORISED, f"Content-Length: {len(body)}".encode(), b"", body[:-5]]
    writer.write(b"\r\n".join(head))
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    await never(lambda: stored(site), 0.5)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_the_webhook_takes_only_posts(site: Site, parts: Parts, method: str):
    async with site.session.request(method, f"{site.url}/webhook/alertmanager") as response:
        assert response.status == 405


async def test_each_answer_is_counted(site: Site, parts: Parts):
    await site.deliver(wire_alert())
    await site.deliver(wire_alert())
    await site.deliver(body=b"{}")
    await site.deliver(wire_alert(), token="wrong-token-0123456789")

    counts = [await site.metric(f'homeostat_webhook_requests_total{{code="{code}"}}') for code in (202, 400, 401, 413)]
    assert counts == [2, 1, 1, 0]
    effects = [await site.metric(f'homeostat_webhook_alerts_total{{effect="{e}"}}') for e in ("opened", "repeated")]
    assert effects == [1, 1]


# --- Our own alerts


@pytest.mark.parametrize("name", ["HomeostatEscalation", "HomeostatDeadMan"])
async def test_our_own_alerts_open_nothing(site: Site, parts: Parts, name: str):
    assert await site.deliver(wire_alert(1, alertname=name), wire_alert(2)) == 202

    assert [recovery["alert"] for recovery in await site.recoveries()] == ["WorkloadDown"]


async def test_the_dead_man_is_noted_when_he_fires_and_not_when_he_ends(site: Site, parts: Parts):
    await site.deliver(wire_alert(status="resolved", alertname="HomeostatDeadMan"))
    assert await site.metric("homeostat_dead_man_timestamp_seconds") == 0

    await site.deliver(wire_alert(alertname="HomeostatDeadMan"))
    assert await site.metric("homeostat_dead_man_timestamp_seconds") == pytest.approx(time.time(), abs=5)


# --- Many at once


async def test_a_storm_is_taken_in_whole_and_does_not_hold_up_the_next_alert(site: Site):
    """Five hundred workloads nobody knows: all are refused, and one more alert is still answered soon."""
    site.data["responder"]["body_limit"] = "16MiB"
    site.data["responder"]["storm"] = {"workloads": 100_000}
    site.write()
    async with site.responder():
        storm = [wire_alert(n, workload=f"shop/w{n}") for n in range(500)]
        assert await site.deliver(*storm) == 202
        slowest = 0.0
        for n in range(10):
            start = time.monotonic()
            assert await site.deliver(wire_alert(5000 + n, workload=f"shop/later{n}")) == 202
            slowest = max(slowest, time.monotonic() - start)
            await asyncio.sleep(0.1)

        async def are_all_ended() -> bool:
            return await site.metric('homeostat_recoveries_total{final="escalated"}') == 510

        assert slowest < 1.0
        await eventually(are_all_ended, within_s=10)


async def test_in_a_storm_nothing_is_decided_until_no_more_come(site: Site):
    site.data["responder"]["storm"] = {"workloads": 5, "window": "3s"}
    site.write()
    async with site.responder() as parts:
        assert await site.deliver(*(wire_alert(n, workload=f"shop/w{n}") for n in range(50))) == 202
        await asyncio.sleep(1.0)
        assert await site.metric('homeostat_refusals_total{reason="storm"}') == 50
        assert not any(await site.finals())
        await asyncio.sleep(2.5)
        for workload in await parts.store.unfinished_workloads():
            parts.intake.wake(workload)

        await eventually(lambda: _all_final(site), within_s=10)


async def test_the_same_delivery_many_times_at_once_opens_one_episode(site: Site, parts: Parts):
    body = wire_body(wire_alert())

    answers = await asyncio.gather(*(site.deliver(body=body) for _ in range(30)))

    assert set(answers) == {202}
    assert await stored(site) == 1


# --- Reading


@pytest.mark.parametrize("path", ["/api/v1/recoveries", "/api/v1/episodes"])
@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "1001", "", "ten", "1.5", "1e3", " 5", "0x10", "9" * 5000, "0000005000000", "0" * 5000 + "1", "%D9%A3"],
    ids=lambda limit: limit[:12],
)
async def test_a_limit_out_of_bounds_is_refused_in_words(site: Site, parts: Parts, path: str, limit: str):
    status, text = await site.get(f"{path}?limit={limit}")

    assert (status, text) == (400, "limit: must be a number from 1 to 1000\n")


@pytest.mark.parametrize("limit", ["1", "1000"])
async def test_a_limit_within_bounds_is_kept(site: Site, parts: Parts, limit: str):
    await site.deliver(*(wire_alert(n) for n in range(3)))

    status, text = await site.get(f"/api/v1/episodes?limit={limit}")

    assert status == 200
    assert len(json.loads(text)) == min(3, int(limit))


async def test_open_episodes_are_listed_however_many_ended_after_them(site: Site, parts: Parts):
    await site.deliver(*(wire_alert(n) for n in range(3)))
    await eventually(lambda: _all_final(site))
    for episode in (await parts.store.open_episodes())[:-1]:
        await parts.store.close_episode(episode, "test", 1.0)

    _, text = await site.get("/api/v1/episodes?open=true&limit=1")

    assert [episode["id"] for episode in json.loads(text)] == [1]


async def _all_final(site: Site) -> bool:
    return all(await site.finals())


@pytest.mark.parametrize(("path", "status"), [("1", 200), ("2", 404), ("0", 404), ("9" * 18, 404), ("9" * 19, 404)])
async def test_one_recovery_by_its_number(site: Site, parts: Parts, path: str, status: int):
    await site.deliver(wire_alert())

    assert (await site.get(f"/api/v1/recoveries/{path}"))[0] == status


HOSTILE = [
    "$(rm -rf /)",
    "../../etc/passwd",
    "{{ .Labels }}",
    '"} or up{',
    "<script>",
    "a\nb",
    "'; DROP TABLE entries;--",
]


@pytest.mark.parametrize("workload", HOSTILE)
async def test_text_from_an_alert_stays_text(site: Site, parts: Parts, workload: str):
    await site.deliver(wire_alert(workload=workload))
    await eventually(lambda: _all_final(site))

    [recovery] = await site.recoveries()
    assert recovery["workload"] == workload
    refusals = [entry["reason"] for entry in recovery["entries"] if entry["kind"] == "refused"]
    assert refusals == ["unknown_workload"]
    assert (await site.get("/metrics"))[0] == 200


# --- Its own state


async def break_store(parts: Parts) -> None:
    with contextlib.suppress(sqlite3.Error):
        await parts.store._scribe.do(lambda db: db.close())


async def test_ready_until_the_ledger_breaks(site: Site, parts: Parts):
    assert await site.get("/-/ready") == (200, "homeostat responder is ready\n")
    assert (await site.get("/-/healthy"))[0] == 200

    await break_store(parts)

    status, text = await site.get("/-/ready")
    assert status == 503
    assert text.startswith("not ready: the ledger cannot be")


async def test_with_a_broken_ledger_nothing_is_acknowledged_and_nothing_is_said_to_be_missing(site: Site, parts: Parts):
    await site.deliver(wire_alert())
    await break_store(parts)

    assert await site.deliver(wire_alert(2)) == 503
    for path in ("/api/v1/recoveries", "/api/v1/episodes", "/api/v1/episodes?open=true", "/api/v1/recoveries/1"):
        assert (await site.get(path))[0] == 503, path
    assert (await site.get("/metrics"))[0] == 200


async def reload(site: Site) -> tuple[int, str]:
    async with site.session.post(f"{site.url}/-/reload") as response:
        return response.status, await response.text()


async def test_a_bad_file_changes_nothing_and_says_why_and_a_good_one_is_taken(site: Site, parts: Parts):
    assert await site.metric("homeostat_config_last_reload_successful") == 1
    good = site.path.read_text()
    before = parts.live.settings

    site.path.write_text(good + "unknown: 1\n")
    status, text = await reload(site)
    assert status == 400
    assert "the last good settings stay in force" in text
    assert "unknown: unknown key; allowed: " in text
    assert parts.live.settings is before
    assert await site.metric("homeostat_config_last_reload_successful") == 0
    assert await site.deliver(wire_alert()) == 202

    site.path.write_text(good.replace("reconcile_interval: 1s", "reconcile_interval: 2s"))
    assert await reload(site) == (200, "reloaded\n")
    assert parts.live.settings.responder.reconcile_interval == 2.0
    assert await site.metric("homeostat_config_last_reload_successful") == 1


BAD_FILES = {
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "too deep": lambda path: path.write_text("a: " + "[" * 5000),
    "endless": lambda path: path.write_text("a: &a [*a]"),
    "not UTF-8": lambda path: path.write_bytes(b"\xff"),
    "no date": lambda path: path.write_text("state_dir: 2026-13-45"),
    "token file gone": lambda path: (path.parent / "secrets/webhook-token").unlink(),
}


@pytest.mark.parametrize("kind", BAD_FILES)
async def test_no_file_whatever_is_in_it_stops_the_responder(site: Site, parts: Parts, kind: str):
    BAD_FILES[kind](site.path)

    status, _ = await reload(site)

    assert status == 400
    async with site.session.get(f"http://{parts.live.settings.responder.listen}/-/ready") as response:
        assert response.status == 200
    assert parts.live.tokens == (TOKEN.encode(),)


async def test_a_new_token_is_valid_after_a_reload_and_the_old_one_no_longer(site: Site, parts: Parts):
    (site.folder / "secrets/webhook-token").write_text("the-next-token-0123456789")
    assert await site.deliver(wire_alert(1)) == 202

    assert (await reload(site))[0] == 200

    assert await site.deliver(wire_alert(2)) == 401
    assert await site.deliver(wire_alert(3), token="the-next-token-0123456789") == 202


async def test_a_workload_that_is_turned_off_by_a_reload_is_left_alone(site: Site):
    site.write(
        processes={"api": {"command": ["api"]}},
        workloads={"local/api": {"enable": True}},
    )
    async with site.responder():
        site.write(workloads={"local/api": {"enable": False}})
        assert (await reload(site))[0] == 200

        await site.deliver(wire_alert(workload="local/api"))

        await eventually(lambda: _all_final(site))
        [recovery] = await site.recoveries()
        assert recovery["reason"].startswith("not_enabled")


async def test_metrics_are_valid_and_start_at_zero(site: Site, parts: Parts, servers: dict[str, Path]):
    _, text = await site.get("/metrics")

    promtool = await asyncio.create_subprocess_exec(
        servers["promtool"], "check", "metrics", stdin=-1, stdout=-1, stderr=-1, env=os.environ.copy()
    )
    out, err = await promtool.communicate(text.encode())
    assert promtool.returncode == 0, (out + err).decode()
    assert await site.metric('homeostat_recoveries_total{final="verified"}') == 0
    assert await site.metric("homeostat_escalations_undelivered") == 0
