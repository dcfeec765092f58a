"""What fuzzing has found, each as small as it could be made."""

import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.http_exceptions import BadHttpMessage
from fakes.ledgers import NOW, SqliteLedger, opened
from fakes.stack import TOKEN, Site, eventually, wire_alert, wire_body
from hostile import NASTY

from homeostat import log, settings
from homeostat.errors import SettingsError
from homeostat.workloadlabels import from_labels
from responder.ledger import Episode, Final, Store
from responder.readapi import verified
from responder.webhook import parse_alert, parse_body


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with aiohttp.ClientSession() as session:
        yield Site(tmp_path / "site", session)


# --- Settings and labels


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            'responder: {maintenance: [{workloads: ["*"], start: "01:00", end: "02:00", timezone: Europe/Berln}]}',
            "responder.maintenance.0.timezone: 'Europe/Berln': must be a time zone",
        ),
        ('state_dir: "\\ud800"', "state_dir: '\\ud800': must be text of whole characters"),
        ('workloads: {"a/b": {ladders: {down: "\\udfff"}}}', "down: '\\udfff': must be text of whole characters"),
    ],
)
def test_a_mistake_is_told_and_no_error_of_ours(tmp_path: Path, content: str, words: str):
    (tmp_path / "homeostat.yml").write_text(content)

    with pytest.raises(SettingsError) as caught:
        settings.load(tmp_path / "homeostat.yml", {})

    assert words in str(caught.value)


@pytest.mark.parametrize("label", ["homeostat.a\nb", "homeostat.\x1b[2J", "homeostat.hook.\u202e"])
def test_a_label_is_told_on_one_line(label: str):
    with pytest.raises(SettingsError) as caught:
        from_labels({label: ""}, "shop-web-1")

    assert all(problem.isprintable() for problem in caught.value.problems)


@pytest.mark.parametrize("url", ["http://a?b:80/", "http://a#b/", "http://a\\@b/", "http://../x", "http://."])
def test_a_host_that_readers_of_urls_disagree_about_is_none(url: str):
    with pytest.raises(SettingsError, match="allowed: http://HOST:PORT/PATH"):
        from_labels({"homeostat.probe.http": url}, "shop-web-1")


# --- Deliveries


@pytest.mark.parametrize("parse", [parse_body, parse_alert])
@pytest.mark.parametrize(
    "body",
    [
        b'{"version": "4", "alerts": [%s]}' % b",".join([b"{}"] * 20_000),
        wire_body({**wire_alert(), "labels": dict.fromkeys(map(str, range(20_000)), 0)}),
    ],
    ids=["alerts", "labels"],
)
def test_of_many_mistakes_the_first_ones_are_enough(parse, body: bytes):
    """Each was an exception of its own: 400 KB took 16 s and 600 MB."""
    start = time.process_time()

    with pytest.raises(ValueError, match="not an"):
        parse(body)

    assert time.process_time() - start < 1.0


# --- The operators' API


@pytest.mark.parametrize("seconds", ["1e12", "1e308", "Infinity"])
async def test_a_hold_past_every_calendar_is_refused(site: Site, seconds: str):
    """It was taken, and no hold could be listed from then on."""
    async with site.responder():
        body = f'{{"pattern": "*", "by": "jane", "seconds": {seconds}}}'
        async with site.session.post(f"{site.url}/api/v1/holds", data=body, headers=site.authorization) as response:
            assert response.status == 400

        assert await site.get("/api/v1/holds") == (200, "[]")


@pytest.mark.parametrize("path", ["/api/v1/plan", "/api/v1/holds", "/api/v1/recoveries/1/approve"])
async def test_what_is_not_packed_as_it_says_is_answered_400(site: Site, path: str):
    headers = {**site.authorization, "Content-Encoding": "gzip"}
    async with (
        site.responder(),
        site.session.post(site.url + path, data=b'{"by": "jane"}', headers=headers) as response,
    ):
        assert (response.status, "packed" in await response.text()) == (400, True)


class Hurried:
    """A store whose episode ends between the reading of its lines and its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def episode(self, number: int) -> Episode:
        return await self._store.finish(await self._store.episode(number), Final.ESCALATED, "reason", NOW + 1)


async def test_a_recovery_that_ends_while_the_ledger_is_verified_is_no_edit(tmp_path: Path):
    store = await SqliteLedger(tmp_path / "ledger").open()
    await opened(store)

    found = await verified(Hurried(store))

    await store.close()
    assert found["problems"] == []


# --- The log


def test_what_a_request_held_is_not_logged(caplog: pytest.LogCaptureFixture):
    """aiohttp's own words repeat the line that they are about, which may be the one with the token."""
    logger = logging.getLogger("test.fuzz.server")
    logger.addFilter(log._shorten)
    logger.error("Error handling request", exc_info=BadHttpMessage(f"Bad header: Authorization: Bearer {TOKEN}"))

    assert caplog.text.endswith("a request that cannot be read: BadHttpMessage\n")
    assert TOKEN not in caplog.text


def test_what_fails_in_our_own_code_is_logged_whole(caplog: pytest.LogCaptureFixture):
    logger = logging.getLogger("test.fuzz.server")
    logger.addFilter(log._shorten)

    logger.error("Error handling request", exc_info=KeyError("ours"))

    assert "KeyError: 'ours'" in caplog.text


# --- What is told


@pytest.mark.servers
async def test_people_hear_of_hostile_alerts_too(site: Site, servers: dict[str, Path]):
    """One that Alertmanager refused would keep all others of its call from counting as told."""
    alerts = [
        wire_alert(10 * nth + place, **{"workload": "", label: text})  # of no workload: people are called at once
        for nth, text in enumerate(NASTY)
        for place, label in enumerate(("workload", "alertname", "remedy", "container"))
    ]
    site.data["responder"]["storm"] = {"workloads": 1000}
    site.write()

    async with site.alertmanager(servers["alertmanager"]), site.responder():
        assert await site.deliver(*alerts) == 202

        await eventually(lambda: all_told(site, len(alerts)), within_s=20)


async def all_told(site: Site, number: int) -> bool:
    escalated = await site.metric('homeostat_recoveries_total{final="escalated"}')
    undelivered = await site.metric("homeostat_escalations_undelivered")
    return (escalated, undelivered, len(await site.escalations())) == (number, 0, number)
