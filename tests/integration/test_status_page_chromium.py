"""The status page as a person sees it, in a real headless Chromium. Its pictures are kept."""

import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes.chromium import Tab, browsing
from fakes.sickness import QUICK, Scene
from fakes.stack import TOKEN, Site, eventually, never, wire_alert
from fakes.statuspage import FakePrometheus, a_week, asking, past_of, words_of

from homeostat.rendering import ROOT
from responder.ledger import Hold

WIDE, PHONE = (1280, 900), (360, 740)
ILL = {
    "shop/web": ("unhealthy", "probe_failing", "http :8080/health"),
    "shop/mailer": ("unhealthy", "crash_looping", "shop-mailer-1"),
    "shop/checkout": ("degraded", "dependency_unhealthy", "shop/web"),
    "shop/batch-import-of-the-warehouse-at-night": ("unknown", "stopped_by_request", ""),
}
WELL = {
    f"shop/{name}": ("healthy", "", "") for name in ("postgres", "redis", "search", "images", "cache", "worker", "mq")
}


@pytest.fixture
def pictures() -> Path:
    folder = Path(os.environ.get("HOMEOSTAT_ARTEFACTS") or ROOT / "tests/artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def tab(chromium: Path, tmp_path: Path) -> AsyncIterator[Tab]:
    async with browsing(chromium, tmp_path / "chromium") as tab:
        yield tab


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    window = {"workloads": ["shop/search"], "start": "02:00", "end": "03:30", "weekdays": ["sun"]}
    return make_site(
        processes={"api": {"command": ["api"]}, "db": {"command": ["db"]}},
        workloads={"local/api": {"enable": True}, "local/db": {"enable": True}},
        responder={"maintenance": [window]},
    )


async def overflow(tab: Tab) -> object:
    """By how many pixels the page is wider than the screen."""
    return await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


async def is_live(tab: Tab) -> bool:
    return await tab.text("#connection") == "Live"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("screen", "size"), [("wide", WIDE), ("phone", PHONE)])
async def test_all_is_seen_without_a_complaint_and_without_scrolling_sideways(
    site: Site, tab: Tab, pictures: Path, screen: str, size: tuple[int, int], scheme: str
):
    async with past_of(site) as past:
        await a_week(past)
    async with FakePrometheus({**ILL, **WELL}).serving(site), site.responder() as parts:
        await asking(site, parts)
        await parts.store.put_hold(Hold("shop/search", "heap dump", "jane", time.time() - 700, time.time() + 7200))
        await tab.size(*size, is_phone=screen == "phone")
        await tab.prefer(scheme)

        await tab.open(f"{site.url}/")
        await eventually(lambda: is_live(tab))
        await tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        await tab.picture(pictures / f"status-{screen}-{scheme}.png")
        seen, wider = await tab.text(), await overflow(tab)
        await tab.open(f"{site.url}/recovery/3")
        await tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        await tab.picture(pictures / f"record-{screen}-{scheme}.png")

        assert "1 step waits for your word." in seen
        assert "pool exhausted" in await tab.text("#record")
        assert (wider, await overflow(tab)) == (0, 0)
        assert tab.complaints == []


CAREFUL = {"steps": [{"action": "restart", "timeout": "20s", "approval": "10m", "verify": QUICK}]}


async def answered(scene: Scene) -> list[tuple[str, str]]:
    """What people said, and who they were."""
    entries = (await scene.recovery())["entries"]
    return [(each["kind"], each["by"]) for each in entries if each["kind"] in ("approved", "rejected")]


async def is_asked(tab: Tab) -> bool:
    return "Restart local/" in await tab.text("#questions")


@pytest.mark.servers
async def test_a_step_that_waits_is_approved_with_the_mouse_taken_and_seen_to_be_verified(
    scene: Scene, tab: Tab, pictures: Path
):
    scene.site.write(ladders={"unresponsive": CAREFUL})
    async with scene.site.responder():
        await tab.size(*PHONE, is_phone=True)
        await tab.open(f"{scene.site.url}/")
        await eventually(lambda: is_live(tab))
        scene.exporter.is_sick = True
        await eventually(lambda: is_asked(tab), within_s=20)
        await tab.type("[name=by]", "jane")
        await tab.type("[name=token]", TOKEN)
        await tab.type("[name=reason]", "looked at it")
        assert scene.guardian.calls == []
        before = tab.loads

        await tab.click("button[value=approve]")
        await tab.loaded(before)

        assert await tab.evaluate("location.pathname") == "/"
        assert await answered(scene) == [("approved", "jane")]
        await eventually(lambda: _shows(tab, "#ended", "repaired, verified"), within_s=20)
        await tab.picture(pictures / "approved-phone.png")
        assert scene.guardian.calls == [scene.name]
        assert await scene.final() == "verified"
        assert await tab.text("#questions") == ""
        assert tab.loads == before + 1
        assert tab.complaints == []


async def _shows(tab: Tab, selector: str, words: str) -> bool:
    return words in await tab.text(selector)


async def test_it_is_told_of_changes_without_being_loaded_again_and_leaves_what_is_typed_and_open(site: Site, tab: Tab):
    prometheus = FakePrometheus(WELL)
    async with prometheus.serving(site), site.responder() as parts:
        number = await asking(site, parts)
        await tab.open(f"{site.url}/")
        await eventually(lambda: is_live(tab))
        before = tab.loads
        await tab.click(f"#lines-{number} > summary")
        await tab.type("[name=by]", "jane")
        await tab.type("[name=token]", "half a tok")

        await site.deliver(wire_alert(10, alertname="WorkloadFlapping", workload="local/other"))
        await asking(site, parts, workload="local/db", n=11)
        prometheus.health = {**WELL, **ILL}

        await eventually(lambda: _shows(tab, "#questions", "Restart local/db?"))
        await eventually(lambda: _shows(tab, "#troubles", "WorkloadFlapping"))
        await eventually(lambda: _shows(tab, "#workloads", "its probe fails"))
        assert tab.loads == before
        kept = f"document.querySelector('[action*=\"/{number}/\"] [name=token]')"
        assert await tab.evaluate(f"{kept}.value") == "half a tok"
        assert await tab.evaluate(f"document.activeElement === {kept}") is True
        assert await tab.evaluate(f"document.querySelector('#lines-{number}').open") is True
        assert tab.complaints == []


async def test_enter_in_a_field_approves_nothing(site: Site, tab: Tab):
    async with site.responder() as parts:
        number = await asking(site, parts)
        await tab.open(f"{site.url}/")
        await tab.type("[name=by]", "jane")
        await tab.type("[name=token]", TOKEN)

        await tab.press_enter()

        await never(lambda: words_of(parts, number), for_s=0.5)
        assert await tab.evaluate("document.querySelector('[name=token]').value") == TOKEN


async def test_without_javascript_a_step_is_rejected_and_a_wrong_token_says_so(site: Site, tab: Tab, pictures: Path):
    async with site.responder() as parts:
        number = await asking(site, parts)
        await tab.send("Emulation.setScriptExecutionDisabled", value=True)
        for token, words in (("not-the-token-0123456789", "That is not the token"), (TOKEN, "by jane")):
            await tab.open(f"{site.url}/")
            await tab.type("[name=by]", "jane")
            await tab.type("[name=token]", token)
            before = tab.loads

            await tab.click("button[value=reject]")
            await tab.loaded(before)

            assert words in await tab.text("main")
            assert bool(await words_of(parts, number)) is (token == TOKEN)
        await tab.picture(pictures / "rejected-wide.png")


async def test_it_goes_on_by_itself_when_the_responder_is_started_again(site: Site, tab: Tab):
    async with FakePrometheus(WELL).serving(site):
        async with site.responder() as parts:
            number = await asking(site, parts)
            await tab.open(f"{site.url}/")
            await eventually(lambda: is_live(tab))
            await tab.type("[name=by]", "jane")
            await tab.type("[name=token]", TOKEN)
        await eventually(lambda: _shows(tab, "#connection", "Not live"))
        async with site.responder() as parts:
            await eventually(lambda: is_live(tab))
            before = tab.loads

            await tab.click("button[value=approve]")
            await tab.loaded(before)

            assert await words_of(parts, number) == [("approved", "jane", "")]


async def test_when_all_is_well_it_says_so_and_says_when_the_ledger_is_lost(site: Site, tab: Tab, pictures: Path):
    site.write(processes={}, workloads={}, responder={**site.data["responder"], "maintenance": []})
    async with FakePrometheus(WELL).serving(site), site.responder() as parts:
        await tab.size(*WIDE)
        await tab.open(f"{site.url}/")
        await eventually(lambda: is_live(tab))
        await tab.picture(pictures / "well-wide.png")
        assert "Nothing is wrong. 7 workloads are watched." in await tab.text("#headline")

        with contextlib.suppress(sqlite3.Error):
            await parts.store._scribe.do(lambda db: db.close())

        await eventually(lambda: _shows(tab, "#connection", "Not renewed"))
