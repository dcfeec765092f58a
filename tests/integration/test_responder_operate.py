"""Operators' word over HTTP and from the command line: hands off, yes, no; what would be done; whether all is whole."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.stack import Site, eventually, wire_alert

HOMEOSTAT = Path(sys.executable).parent / "homeostat"


async def homeostat(site: Site, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """Exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        HOMEOSTAT,
        *arguments,
        cwd=site.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(site.folder), "COLUMNS": "200", "SUDO_USER": "jane"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate(stdin.encode())
    return process.returncode or 0, out.decode()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site(
        processes={"api": {"command": ["api"]}},
        workloads={"local/api": {"enable": True, "hooks": {"gc": "http://127.0.0.1:9/gc"}}},
        ladders={"careful": {"steps": [{"action": "restart", "approval": "10m"}]}},
    )


WRITES = [
    ("POST", "/api/v1/recoveries/1/approve", {"by": "jane"}),
    ("POST", "/api/v1/recoveries/1/reject", {"by": "jane"}),
    ("POST", "/api/v1/holds", {"pattern": "*", "by": "jane"}),
    ("DELETE", "/api/v1/holds?pattern=*", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dG9rZW4="}])
async def test_what_changes_anything_needs_the_token(site: Site, method, path, body, header):
    async with site.responder():
        await site.deliver(wire_alert())
        async with site.session.request(method, site.url + path, json=body, headers=header) as response:
            assert response.status == 401
        assert json.loads((await site.get("/api/v1/holds"))[1]) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pattern": "shop", "by": "jane"}, "PROJECT/SERVICE"),
        ({"pattern": "*/web", "by": "jane"}, "PROJECT/SERVICE"),
        ({"pattern": "$(id)/x", "by": "jane"}, "PROJECT/SERVICE"),
        ({"pattern": "*", "by": ""}, "must be a name"),
        ({"pattern": "*", "by": "a\nb"}, "must be a name"),
        ({"pattern": "*"}, "by"),
        ({"pattern": "*", "by": "jane", "seconds": 0}, "greater than or equal"),
        ([], "section"),
        ("{", "section"),
    ],
)
async def test_a_wrong_hold_is_refused_in_words(site: Site, body, words):
    async with site.responder():
        async with site.session.post(site.url + "/api/v1/holds", json=body, headers=site.authorization) as response:
            text = await response.text()

        assert response.status == 400
        assert words in json.loads(text)["error"]
        assert json.loads((await site.get("/api/v1/holds"))[1]) == []


async def test_holds_are_put_listed_and_released_from_the_command_line(site: Site):
    async with site.responder():
        assert await homeostat(site, "hold") == (0, "no holds\n")
        assert await homeostat(site, "hold", "shop/*", "--for", "2h", "--reason", "heap dump") == (
            0,
            "hands off shop/*\n",
        )
        code, text = await homeostat(site, "hold")
        assert (code, "shop/*" in text, "jane" in text, "heap dump" in text) == (0, True, True, True)
        assert (await homeostat(site, "release", "shop/*"))[0] == 0
        code, text = await homeostat(site, "release", "shop/*")

    assert (code, "no hold" in text) == (3, True)


async def test_a_hold_outlives_the_responder(site: Site):
    async with site.responder():
        await homeostat(site, "hold", "shop/web")
    async with site.responder():
        [hold] = json.loads((await site.get("/api/v1/holds"))[1])

    assert (hold["pattern"], hold["by"], hold["until"]) == ("shop/web", "jane", None)


async def test_commands_say_that_no_responder_answers(site: Site):
    for arguments in (["hold"], ["approve", "1"], ["recoveries"], ["recoveries", "verify"], ["plan", "-"]):
        code, text = await homeostat(site, *arguments, stdin='{"labels": {}}')
        assert (code, "does not answer" in text) == (3, True), (arguments, text)


async def test_a_plan_tells_what_would_be_done_and_does_nothing(site: Site):
    labels = {"alertname": "WorkloadDown", "workload": "local/api", "remedy": "memory"}
    async with site.responder():
        code, text = await homeostat(site, "plan", "-", stdin=json.dumps({"labels": labels}))
        assert json.loads((await site.get("/api/v1/recoveries"))[1]) == []

    assert code == 0
    assert "local/api, remedy memory" in text
    assert "passed over: the workload does not offer that hook" in text  # cache-clear
    assert text.count("does not answer") >= 2  # neither Alertmanager nor Prometheus is there


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"labels": {"workload": 1}}', '{"alerts": [1]}'])
async def test_a_plan_for_what_is_no_alert_is_refused_in_words(site: Site, text: str):
    async with site.responder():
        code, said = await homeostat(site, "plan", "-", stdin=text)

    assert code in (2, 3)
    assert "Traceback" not in said
    assert "not an alert" in said or "not JSON" in said


@pytest.mark.parametrize("number", ["1", "99"])
async def test_nobody_can_approve_what_does_not_wait_for_it(site: Site, number: str):
    async with site.responder():
        await site.deliver(wire_alert())
        await eventually(lambda: _is_final(site))
        code, text = await homeostat(site, "approve", number)

    assert code == 3
    assert "no recovery" in text or "does not wait" in text


async def _is_final(site: Site) -> bool:
    return all(await site.finals())


async def test_a_ledger_that_nobody_touched_is_whole(site: Site):
    async with site.responder():
        await site.deliver(*(wire_alert(n) for n in range(20)))
        await eventually(lambda: _is_final(site))
        code, text = await homeostat(site, "recoveries", "verify")

    assert code == 0, text
    assert "every line is as it was written" in text


EDITS = [
    pytest.param("UPDATE entries SET data = replace(data, 'unknown', 'known') WHERE kind = 'refused'", id="text"),
    pytest.param("UPDATE entries SET at = at + 1 WHERE id = 2", id="time"),
    pytest.param("UPDATE entries SET kind = 'judged' WHERE kind = 'refused'", id="kind"),
    pytest.param("UPDATE entries SET workload = 'shop/other' WHERE id = 3", id="workload"),
    pytest.param("DELETE FROM entries WHERE id = 2", id="a line taken out"),
    pytest.param("UPDATE entries SET digest = 'f' WHERE id = 2", id="digest"),
    pytest.param("UPDATE episodes SET final = 'verified'", id="final state"),
    pytest.param("UPDATE episodes SET reason = 'all good'", id="reason"),
    pytest.param('UPDATE episodes SET labels = \'{"workload": "shop/other"}\'', id="labels"),
]


@pytest.mark.parametrize("edit", EDITS)
async def test_any_edit_of_the_ledger_is_found(site: Site, edit: str):
    async with site.responder():
        await site.deliver(wire_alert(), wire_alert(2))
        await eventually(lambda: _is_final(site))
    with sqlite3.connect(site.folder / "state" / "responder.sqlite3") as db:
        db.execute("DROP TRIGGER entries_keep")
        db.execute("DROP TRIGGER entries_stay")
        assert db.execute(edit).rowcount >= 1
    db.close()
    async with site.responder():
        code, text = await homeostat(site, "recoveries", "verify")

    assert code == 1, text
    assert "not" in text or "missing" in text


async def test_stats_of_nothing(site: Site):
    async with site.responder():
        assert await homeostat(site, "recoveries", "stats") == (0, "nothing has been repaired within 30 d\n")
