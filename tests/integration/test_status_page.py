"""The status page over HTTP: what it shows, whom it lets say something, and what it never does."""

import asyncio
import contextlib
import itertools
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import pytest
from blockbuster import blockbuster_ctx
from fakes.stack import TOKEN, Site, eventually, wire_alert
from fakes.statuspage import FakePrometheus, Html, a_week, asking, past_of, words_of

from responder.app import Parts
from responder.ledger import EntryKind, Hold

WELL = {"shop/web": ("healthy", "", ""), "shop/db": ("healthy", "", "")}


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site(processes={"api": {"command": ["api"]}}, workloads={"local/api": {"enable": True}})


@pytest.fixture
async def parts(site: Site) -> AsyncIterator[Parts]:
    """The running responder; what blocks its loop is an error."""
    async with site.responder() as parts:
        with blockbuster_ctx(scanned_modules=["responder", "homeostat", "jinja2"]):
            yield parts


async def look(site: Site, path: str = "/", **headers: str) -> tuple[aiohttp.ClientResponse, str]:
    async with site.session.get(site.url + path, headers=headers) as response:
        return response, await response.text()


async def form(site: Site) -> dict[str, str]:
    """The one on the page, filled in but for the word."""
    return {**Html((await look(site))[1]).form(), "by": "jane", "token": TOKEN, "reason": "looked at it"}


async def send(
    site: Site, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> tuple[aiohttp.ClientResponse, str]:
    """As a browser does, without following."""
    data = {name: value for name, value in fields.items() if name != "action"}
    sent = {"Origin": site.url} if headers is None else headers
    url = site.url + fields["action"]
    async with site.session.post(url, data=data, headers=sent, allow_redirects=False) as response:
        return response, await response.text()


# --- What it shows, without a line of JavaScript


async def test_when_all_is_well_it_says_so(site: Site):
    site.write(processes={}, workloads={})
    async with FakePrometheus(WELL).serving(site), site.responder():
        response, text = await look(site)

    page = Html(text)
    assert response.status == 200
    for words in (
        "Nothing is wrong. 2 workloads are watched.",
        "2 healthy",
        "None yet.",
        "every workload that opted in",
    ):
        assert words in page.text
    assert page.all("form") == []


async def test_troubles_recoveries_evidence_and_holds_are_there(site: Site):
    async with past_of(site) as past:
        await a_week(past)
    ill = {"shop/web": ("unhealthy", "not_running", "shop-web-1")}
    async with FakePrometheus({**WELL, **ill}).serving(site), site.responder() as parts:
        await parts.store.put_hold(Hold("shop/*", "heap dump", "jane", time.time(), None))
        await parts.store.put_hold(Hold("shop/old", "over", "jane", 1.0, 2.0))
        page, record = Html((await look(site))[1]), Html((await look(site, "/recovery/3"))[1])

    for words in (
        "1 trouble needs a person.",
        "shop/mailer crashes again and again.",
        "no step helps against crash_loop",
        "down, and nobody asked for that (shop-web-1)",
        "repaired, verified",
        "hook did not help, then restart helped",
        "good: answered in 12 ms",
        "ended by itself",
        "heap dump",
    ):
        assert words in page.text
    assert "shop/old" not in page.text
    assert {"href": "https://runbooks.example.org/crash", "rel": "noreferrer noopener"} in page.all("a")
    for words in ("GET /checkout 503", "gunicorn: worker", "Step 3, restart, begins", "WorkloadUnresponsive"):
        assert words in record.text


async def test_there_is_no_page_of_a_recovery_that_is_not_there(site: Site, parts: Parts):
    response, text = await look(site, "/recovery/99")

    assert (response.status, "There is no recovery 99." in text) == (404, True)


@pytest.mark.parametrize("nonsense", [None, {}, [], {"status": "success", "data": {"resultType": "scalar"}}])
async def test_without_a_usable_prometheus_it_is_there_and_says_what_is_not_known(site: Site, nonsense: object):
    async with contextlib.AsyncExitStack() as stack:
        if nonsense is not None:
            await stack.enter_async_context(FakePrometheus(nonsense=nonsense).serving(site))
        await stack.enter_async_context(site.responder())
        response, text = await look(site)

    assert response.status == 200
    assert "How the workloads are is not known" in text
    assert "Nothing is wrong" not in text
    assert "local/api" in Html(text).text


async def test_a_prometheus_that_is_silent_is_not_waited_for_long(site: Site):
    async with FakePrometheus(WELL, wait_s=4.0).serving(site), site.responder():
        began = time.monotonic()
        response, text = await look(site)
        waited_s = time.monotonic() - began

    assert (response.status, "Prometheus did not answer within 2 s" in text) == (200, True)
    assert waited_s < 3.5


async def test_a_ledger_that_cannot_be_read_is_said_on_a_page(site: Site, parts: Parts):
    assert (await look(site))[0].status == 200
    with contextlib.suppress(sqlite3.Error):
        await parts.store._scribe.do(lambda db: db.close())

    await eventually(lambda: _is_unreadable(site))  # it shows what it knew for half a second
    for path in ("/", "/recovery/1", "/page/status"):
        response, text = await look(site, path)
        assert (response.status, response.content_type) == (503, "text/html")
        assert "The ledger cannot be read now" in text


async def _is_unreadable(site: Site) -> bool:
    return (await look(site))[0].status == 503


# --- What is shown is data


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</time></title></style><base href=//evil.example>",
    "{{ 7*7 }}{% raw %}",
    "<!--",
    "&lt;b&gt;",
    "]]><iframe srcdoc='x'>",
]
#: What templates have; nothing that loads, runs or frames anything.
TAGS = (
    "html head meta title link script body a header p main div section h1 h2 h3 ul ol li article dl dt dd "
    "details summary table caption thead tbody tr th td span time form input label button noscript code pre "
)
ATTRIBUTES = (
    "lang charset name content href rel type src defer class id role hidden aria-label aria-labelledby "
    "aria-current data-version data-title data-source datetime title value scope open method action required "
    "maxlength autocomplete autocapitalize spellcheck disabled tabindex "
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_is_written_in_an_alert_or_in_evidence_stays_text(site: Site, parts: Parts, text: str):
    alert = {**wire_alert(1, workload=text, alertname=text, remedy=text, container=text), "annotations": {
        "summary": text, "runbook_url": text, text: text}}  # fmt: skip
    alert["labels"][text] = text
    await site.deliver(alert)
    await eventually(lambda: _is_final(site))
    [episode] = await parts.store.open_episodes()
    for kind in EntryKind:
        reading = {"source": text, "quality": text, "detail": text}
        data = dict.fromkeys(("action", "verdict", "reason", "detail", "status", "final", "by"), text)
        seen = {"causes": [{"cause": text, "line": text}], "subjects": {text: {text: [text, {text: text}]}}}
        data |= {"rung": 0, "token": 1, "expires_at": 0, "readings": [reading], **seen}
        await parts.store.append(episode, kind, data, time.time())
    await parts.store.put_hold(Hold(text, text, text, time.time(), None))

    for path in ("/", f"/recovery/{episode.id}", "/page/status", f"/page/recovery/{episode.id}"):
        response, found = await look(site, path)
        page = Html(found)
        assert response.status == 200
        assert text in page.text
        assert {tag for tag, _ in page.tags} <= {*TAGS.split()}
        assert {name for _, attributes in page.tags for name in attributes} <= {*ATTRIBUTES.split()}
        assert all(str(a["href"]).startswith(("/", "#", "https://")) for a in page.all("a") if a["href"])
        assert [script.get("src") for script in page.all("script")] == ["/page/script.js"] * (
            not path.startswith("/page")
        )


async def _is_final(site: Site) -> bool:
    return all(await site.finals())


async def test_nothing_secret_is_on_it(site: Site, parts: Parts):
    number = await asking(site, parts)

    for path in ("/", f"/recovery/{number}", "/page/script.js"):
        assert TOKEN not in (await look(site, path))[1]


# --- What browsers are told


PATHS = ["/", "/page/status", "/page/style.css", "/page/script.js", "/page/icon.svg", "/recovery/1", "/recovery/99"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_forbids_what_the_page_does_not_need(site: Site, parts: Parts, path: str):
    await site.deliver(wire_alert())

    response, _ = await look(site, path)

    assert response.status == (404 if path == "/recovery/99" else 200)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for part in ("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_every_field_has_a_label_every_table_a_caption_and_headings_have_an_order(site: Site):
    async with past_of(site) as past:
        await a_week(past)
    async with FakePrometheus(WELL).serving(site), site.responder() as parts:
        await asking(site, parts)
        for path in ("/", "/recovery/3"):
            _, text = await look(site, path)
            page = Html(text)
            levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
            fields = [i for i in page.all("input") if i.get("type") != "hidden"]

            assert levels[0] == 1
            assert levels.count(1) == 1
            assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
            assert len(page.all("caption")) == len(page.all("table"))
            assert len(page.all("label")) == len(fields)
            assert page.all("html") == [{"lang": "en"}]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9802", "localhost.evil.example", "x@localhost"])
async def test_under_another_name_there_is_nothing(site: Site, parts: Parts, host: str):
    number = await asking(site, parts)
    filled = {**await form(site), "word": "approve"}

    for path in ("/", "/page/status", "/page/events", f"/recovery/{number}"):
        response, text = await look(site, path, Host=host)
        assert (response.status, "local/api" in text) == (421, False)
    response, _ = await send(site, filled, {"Host": host, "Origin": f"http://{host}"})
    assert response.status == 421
    assert await words_of(parts, number) == []


# --- Who may say yes or no


@pytest.mark.parametrize(("word", "kind"), [("approve", "approved"), ("reject", "rejected")])
async def test_a_word_is_written_down_once_and_leads_back_to_the_page(site: Site, parts: Parts, word: str, kind: str):
    number = await asking(site, parts)
    filled = {**await form(site), "word": word}

    first, _ = await send(site, filled)
    page = Html((await look(site))[1])
    second, text = await send(site, filled)

    assert (first.status, first.headers["Location"]) == (303, f"/#recovery-{number}")
    assert "by jane: looked at it" in page.text
    assert page.all("form") == []
    assert (second.status, "Nothing was approved or rejected." in text) == (409, True)
    assert await words_of(parts, number) == [(kind, "jane", "looked at it")]


FORGED = [
    {},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:9090"},
    {"Origin": "http://localhost"},
    {"Referer": "http://127.0.0.1/"},
]


@pytest.mark.parametrize("headers", FORGED, ids=str)
async def test_a_form_of_another_page_says_nothing_even_with_the_token(site: Site, parts: Parts, headers):
    number = await asking(site, parts)
    filled = {**await form(site), "word": "approve"}

    response, text = await send(site, filled, headers)

    assert (response.status, "not sent by this page" in text) == (403, True)
    assert await words_of(parts, number) == []


BAD = [
    ({"token": "not-the-token-0123456789"}, 403, "That is not the token"),
    ({"token": ""}, 400, "token"),
    ({"token": "t\u00f6ken \u2603"}, 403, "That is not the token"),
    ({"seal": "0" * 64}, 403, "out of date"),
    ({"seal": "\u2603"}, 403, "out of date"),
    ({"seal": ""}, 400, "seal"),
    ({"question": "1"}, 403, "out of date"),
    ({"question": "-1"}, 400, "question"),
    ({"question": "9" * 5000}, 400, "question"),
    ({"by": ""}, 400, "by"),
    ({"by": "   "}, 400, "by"),
    ({"by": "jane\u202e"}, 400, "must be a name"),
    ({"by": "x" * 121}, 400, "must be a name"),
    ({"reason": "x" * 1001}, 400, "must be one line"),
    ({"word": "perhaps"}, 400, "word"),
    ({"word": ""}, 400, "word"),
    ({"reason": "x" * 20000}, 413, "larger than"),
    ({f"field{n}": "x" for n in range(20)}, 400, "not a form of this page"),
]


@pytest.mark.parametrize(("wrong", "status", "words"), BAD)
async def test_what_is_wrong_with_a_form_is_said_and_nothing_is_written(
    site: Site, parts: Parts, wrong: dict[str, str], status: int, words: str
):
    number = await asking(site, parts)
    filled = {**await form(site), "word": "approve", **wrong}

    response, text = await send(site, filled)

    assert (response.status, response.content_type) == (status, "text/html")
    assert words in Html(text).text
    assert TOKEN not in text
    assert await words_of(parts, number) == []


async def test_a_seal_is_good_for_one_question_of_one_recovery(site: Site, parts: Parts):
    number = await asking(site, parts)
    filled = {**await form(site), "word": "approve"}
    await site.deliver(wire_alert(2))

    response, _ = await send(site, {**filled, "action": f"/recovery/{number + 1}/answer"})

    assert response.status == 403


async def test_who_answers_a_question_does_not_answer_the_one_that_came_after_it(site: Site, parts: Parts):
    number = await asking(site, parts)
    filled = {**await form(site), "word": "approve"}
    question = {"rung": 1, "action": "recreate", "expires_at": time.time() + 600}
    await parts.store.append(await parts.store.episode(number), EntryKind.PENDING, question, time.time())

    response, text = await send(site, filled)

    assert (response.status, "asks something else by now" in text) == (409, True)
    assert await words_of(parts, number) == []


async def test_a_question_that_is_over_cannot_be_answered(site: Site, parts: Parts):
    number = await asking(site, parts, expires_in_s=1.0)
    filled = {**await form(site), "word": "approve"}
    await asyncio.sleep(1.1)

    response, text = await send(site, filled)

    assert (response.status, "it has expired" in text) == (409, True)
    assert await words_of(parts, number) == []
    assert Html((await look(site))[1]).all("form") == []


async def test_after_ten_wrong_tokens_it_takes_none_for_a_while_and_the_api_still_does(site: Site, parts: Parts):
    number = await asking(site, parts)
    filled = {**await form(site), "word": "approve"}
    for _ in range(10):
        response, _ = await send(site, {**filled, "token": "not-the-token-0123456789"})
        assert response.status == 403

    response, text = await send(site, filled)

    assert (response.status, "Too many wrong tokens" in text) == (429, True)
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert await words_of(parts, number) == []
    url = f"{site.url}/api/v1/recoveries/{number}/reject"
    async with site.session.post(url, json={"by": "jane"}, headers=site.authorization) as api:
        assert api.status == 200


async def test_looking_changes_nothing(site: Site, parts: Parts):
    number = await asking(site, parts)
    before = await parts.store.links(0, 1000)

    for path in ("/", "/page/status", f"/recovery/{number}", f"/recovery/{number}/answer?word=approve&token={TOKEN}"):
        response, _ = await look(site, path)
        assert response.status == (405 if "answer" in path else 200)

    assert await parts.store.links(0, 1000) == before


# --- Live


@contextlib.asynccontextmanager
async def listening(site: Site) -> AsyncIterator[aiohttp.ClientResponse]:
    async with site.session.get(site.url + "/page/events") as response:
        yield response


async def next_version(response: aiohttp.ClientResponse, within_s: float = 3.0) -> str:
    async with asyncio.timeout(within_s):
        while line := (await response.content.readline()).decode():
            if line.startswith("data: "):
                return line.removeprefix("data: ").strip()
    return ""


async def test_listeners_hear_of_a_change_and_get_no_content(site: Site, parts: Parts):
    async with listening(site) as response:
        first = await next_version(response)
        _, page = await look(site)
        await site.deliver(wire_alert(workload="shop/secret"))
        second = await next_version(response)

    assert response.content_type == "text/event-stream"
    assert f'data-version="{first}"' in page
    assert first != second
    assert re.fullmatch("[0-9a-f]{16}", second)


async def test_they_hear_of_a_hold_and_of_nothing_while_nothing_changes(site: Site, parts: Parts):
    async with listening(site) as response:
        await next_version(response)
        with pytest.raises(TimeoutError):
            await next_version(response, within_s=1.5)
        await parts.store.put_hold(Hold("*", "", "jane", time.time(), None))

        assert await next_version(response)


async def test_many_changes_are_told_at_most_twice_a_second(site: Site, parts: Parts):
    told = []
    async with listening(site) as response:
        await next_version(response)
        began = time.monotonic()
        for n in range(20):
            await site.deliver(wire_alert(n))
            await asyncio.sleep(0.05)
        with contextlib.suppress(TimeoutError):
            while True:
                told.append(await next_version(response, within_s=1.0))
        seconds = time.monotonic() - began

    assert 1 <= len(told) <= 2 * seconds + 1


async def test_there_is_room_for_sixteen_and_for_another_when_one_leaves(site: Site, parts: Parts):
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(listening(site))
        others = [await stack.enter_async_context(listening(site)) for _ in range(15)]
        async with listening(site) as refused:
            assert refused.status == 503
        assert [each.status for each in (first, *others)] == [200] * 16

        first.close()

        await eventually(lambda: _can_listen(site), within_s=3.0)


async def _can_listen(site: Site) -> bool:
    async with listening(site) as response:
        return response.status == 200


async def test_listeners_do_not_hold_up_the_end_of_the_responder(site: Site):
    async with contextlib.AsyncExitStack() as stack:
        async with site.responder():
            response = await stack.enter_async_context(listening(site))
            await next_version(response)

        # One that the server had to cut off would not come to its end.
        assert (await response.content.read()).strip() == b""


# --- Its cost


def test_templates_are_not_loaded_before_somebody_looks():
    loaded = subprocess.run(
        [sys.executable, "-c", "import responder.__main__, responder.app, sys; print('jinja2' in sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )

    assert loaded.stdout.strip() == "False"


async def test_however_many_look_the_servers_behind_are_asked_once(site: Site):
    prometheus = FakePrometheus(WELL)
    async with prometheus.serving(site), site.responder():
        await look(site)
        before = prometheus.asked
        await asyncio.gather(*(look(site) for _ in range(30)))

    assert prometheus.asked - before <= 2
