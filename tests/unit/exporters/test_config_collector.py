"""What stands on the page about managed files: never more than is known, and never a value of them."""

import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer
from blockbuster import blockbuster_ctx
from fakes.managed import BAD, Hands, Judge, broken_schema, managed
from fakes.pages import lint
from prometheus_client.parser import text_string_to_metric_families

from exporters.app import create_app
from exporters.collectors.config import METRICS, ConfigCollector
from exporters.configreaders import Reader
from exporters.configwatch import STALE_S, ConfigWatch, Report
from homeostat import names
from homeostat.clock import SystemClock
from homeostat.configfiles.integrity import Integrity, State
from homeostat.configfiles.validation import Flaw
from homeostat.encoder import render
from homeostat.errors import Temporary

READER = Reader("web", "shop/web", "shop-web-1", is_outdated=True, is_stale=False, needs_redeploy=None)


class Readers:
    """exporters.configreaders.ConfigReaders, as far as the collector asks."""

    def __init__(self, *readers):
        self._readers = readers

    def readers(self):
        return self._readers


@pytest.fixture
def clock():
    return Hands()


async def page(watch, *readers):
    return render(await ConfigCollector(watch, Readers(*readers)).collect()).decode()


async def samples(watch, *readers):
    """{name without the prefix: {label values but workload and file: value}}"""
    found = {}
    for family in text_string_to_metric_families(await page(watch, *readers)):
        for sample in family.samples:
            labels = tuple(value for name, value in sample.labels.items() if name not in ("workload", "file"))
            found.setdefault(sample.name.removeprefix("homeostat_config_file_"), {})[labels] = sample.value
    return found


def judged(watch, clock):
    for _ in range(50):
        watch.round()
        clock.advance(0.1)


async def test_a_good_file(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock), clock)
    watch.round()

    found = await samples(watch)

    digest = watch.files.last_good("web").digest[:12]
    took = found.pop("check_duration_seconds")[()]
    assert took >= 0
    assert found == {
        "damaged": {(): 0},
        "drifted": {(): 0},
        "parse_success": {(): 1},
        "schema_valid": {(): 1},
        "mode_allowed": {(): 1},
        "last_change_timestamp_seconds": {(): watch.files.spec("web").path.stat().st_ctime},
        "last_good_timestamp_seconds": {(): watch.files.last_good("web").at},
        "last_good_info": {("1", digest): 1},
        "versions": {(): 1},
        "check_success": {(): 1},
    }


async def test_a_file_is_a_workload_of_its_own(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock), clock)
    watch.round()

    families = text_string_to_metric_families(await page(watch))

    assert {(s.labels["workload"], s.labels["file"]) for family in families for s in family.samples} == {
        ("file/web", "web")
    }


async def test_a_damaged_file_says_which_rules_it_breaks_and_no_value(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock), clock)
    watch.round()
    watch.files.spec("web").path.write_bytes(b"PASSWORD='hunter2\n")
    watch.files.spec("web").path.chmod(0o666)
    judged(watch, clock)

    found = await samples(watch)

    assert (found["damaged"], found["drifted"]) == ({(): 1}, {(): 0})
    assert (found["parse_success"], found["mode_allowed"]) == ({(): 0}, {(): 0})
    assert found["violations"] == {("parse",): 1, ("mode",): 1}
    assert "hunter2" not in await page(watch)


async def test_a_file_that_is_missing_has_no_time_of_change(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock), clock)
    watch.round()
    watch.files.spec("web").path.unlink()
    judged(watch, clock)

    found = await samples(watch)

    assert "last_change_timestamp_seconds" not in found
    assert (found["damaged"], found["violations"], found["versions"]) == ({(): 1}, {("missing",): 1}, {(): 1})


async def test_of_a_file_that_was_never_judged_only_that_is_said(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock, judge=Judge({}, broken_schema())), clock)
    watch.round()

    assert await samples(watch) == {"check_success": {(): 0}}


async def test_what_cannot_be_judged_any_more_is_told_as_it_was_last(tmp_path, clock):
    judge = Judge({})
    watch = ConfigWatch(managed(tmp_path, clock, judge=judge), clock)
    watch.round()
    judge.error = broken_schema()
    watch.files.spec("web").path.write_bytes(b"A=1\nB=2\nC=3\n")
    judged(watch, clock)

    found = await samples(watch)

    assert (found["check_success"], found["damaged"]) == ({(): 0}, {(): 0})


async def test_readers_are_told_as_far_as_is_known(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock), clock)

    found = await samples(watch, READER, Reader("web", "local/api", "", is_outdated=False))

    assert found == {
        "reader_outdated": {("shop-web-1",): 1, ("",): 0},
        "stale_in_container": {("shop-web-1",): 0},
    }


async def test_rounds_that_stand_still_are_a_failure(tmp_path, clock):
    watch = ConfigWatch(managed(tmp_path, clock), clock)
    watch.round()
    clock.advance(STALE_S + 1.0)

    with pytest.raises(Temporary):
        await ConfigCollector(watch).collect()


@pytest.fixture
def whole(tmp_path, clock):
    """A watch that has everything to tell."""
    watch = ConfigWatch(managed(tmp_path, clock), clock)
    watch.round()
    [good] = watch.reports()
    flaws = (Flaw("schema", "a"), Flaw("schema", "b"), Flaw("mode", "c"))
    watch._watched["web"].report = Report(
        "web", True, Integrity(State.DAMAGED, flaws), 1.0, good.last_good, 1, None, 0.1
    )
    return watch


async def test_every_metric_that_is_declared_can_be_told(whole):
    reader = Reader("web", "shop/web", "c", is_outdated=False, is_stale=False, needs_redeploy=True)

    families = text_string_to_metric_families(await page(whole, reader))

    assert {sample.name for family in families for sample in family.samples} == {metric.name for metric in METRICS}
    assert (await samples(whole))["violations"] == {("schema",): 2, ("mode",): 1}


async def test_promtool_finds_nothing_wrong(whole, servers):
    assert lint(await page(whole, READER), servers["promtool"]) == ""


# --- In the exporter


async def scraped(client):
    """{(name, workload): value} of the collector."""
    async with client.get("/metrics", params={"collect[]": "config"}) as response:
        families = text_string_to_metric_families(await response.text())
    return {(s.name, s.labels.get("workload")): s.value for family in families for s in family.samples}


async def test_the_exporter_watches_the_files_of_its_settings_and_the_settings_themselves(told, tmp_path):
    (tmp_path / "web.env").write_bytes(b"A=1\n")
    settings = told(
        "docker: {enabled: false}\nconfig_files: {web: {path: web.env, settle: 200ms, workloads: [local/api]}}"
    )
    app = create_app(settings, SystemClock(), tmp_path / "homeostat.yml")
    async with TestClient(TestServer(app)) as client, asyncio.timeout(10):
        while (await scraped(client)).get((names.CONFIG_DAMAGED, "file/web")) != 0:
            await asyncio.sleep(0.05)
        (tmp_path / "web.env").write_bytes(BAD)
        with blockbuster_ctx():
            while (found := await scraped(client)).get((names.CONFIG_DAMAGED, "file/web")) != 1:
                await asyncio.sleep(0.05)

    assert found[names.SCRAPE_SUCCESS, None] == 1
    # It was written a moment ago: whoever is at work on settings is waited for longer.
    assert (names.CONFIG_DAMAGED, "file/homeostat") not in found


async def test_without_managed_files_there_is_no_such_collector(told):
    async with TestClient(TestServer(create_app(told("docker: {enabled: false}"), SystemClock()))) as client:
        assert (names.SCRAPE_SUCCESS, None) not in await scraped(client)


async def test_a_first_content_is_accepted_by_the_check_program_of_its_owner(told, tmp_path):
    """It is run where files are accepted: else none that has one would ever have a good version."""
    (tmp_path / "web.env").write_bytes(b"A=1\n")
    check = "config_files: {web: {path: web.env, settle: 0s, check: [grep, -q, A=1, '{file}']}}"
    app = create_app(told(f"docker: {{enabled: false}}\n{check}"), SystemClock(), None)
    async with TestClient(TestServer(app)) as client, asyncio.timeout(10):
        while ("homeostat_config_file_last_good_info", "file/web") not in (found := await scraped(client)):
            await asyncio.sleep(0.05)

    assert found["homeostat_config_file_check_success", "file/web"] == 1
