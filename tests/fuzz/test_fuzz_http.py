"""HTTP as nobody speaks it: packed, in pieces, without an end, with any head, or none at all."""

import asyncio
import gzip
import itertools
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import hostile
import pytest
from besieged import RIGHT, WEBHOOK, Besieged, check
from effort import examples
from fakes.stack import TOKEN, Site
from hypothesis import given
from hypothesis import strategies as st
from rawhttp import WITHIN_S, Answer, Client, chunked, head

from homeostat.quantities import host_port

pytestmark = pytest.mark.usefixtures("unharmed")

#: Where bodies are read.
BODIES = (WEBHOOK, b"/api/v1/plan", b"/api/v1/holds", b"/api/v1/maintenance")

# --- How bodies come

PACKERS = {b"gzip": gzip.compress, b"deflate": zlib.compress}


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_packed_body_that_swells_is_not_let_in(place: Besieged, encoding: bytes):
    bomb = PACKERS[encoding](b" " * 150_000_000)
    memory = place.memory()
    before = memory.now_mib()
    memory.forget_peak()

    answers = [
        client.send(b"POST", path, bomb, b"Content-Encoding: " + encoding)
        for client in (place.client, place.stranger)
        for path in BODIES
    ]

    assert [answer.status for answer in answers] == [413, 413, 413, 413, 401, 413, 401, 401]
    assert max(answer.seconds for answer in answers) < WITHIN_S
    assert memory.peak_mib() - before < 100


@given(hostile.near_payloads(), st.sampled_from([b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"\xff", b""]))
@examples(40)
def test_a_body_that_is_packed_or_only_says_so(place: Besieged, body: bytes, encoding: bytes):
    packed = PACKERS.get(encoding, bytes)(body)
    header = b"Content-Encoding: " + encoding

    # Nothing that ends too soon: of "deflate" aiohttp waits for the rest.
    for sent in (packed,) if encoding == b"deflate" else (packed, body, body[: len(body) // 2]):
        answer = place.client.send(b"POST", WEBHOOK, sent, header)
        check(answer)
        if answer.status == 202:
            place.remember(body)
    check(place.stranger.send(b"POST", WEBHOOK, body, header))


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(at)]


@given(hostile.near_payloads(), st.lists(st.integers(0, 10_000), max_size=5), st.sampled_from([b"", b";x=y"]))
@examples(40)
def test_a_body_in_chunks_and_slowly(place: Besieged, body: bytes, cuts: list[int], extension: bytes):
    opening = head(b"POST", WEBHOOK, *place.client.headers, b"Transfer-Encoding: chunked")

    answer = place.client.send_raw(opening, *chunked(pieces(body, cuts), extension), pause_s=0.002)

    check(answer)
    if answer.status == 202:
        place.remember(body)


CHUNKED = b"Transfer-Encoding: chunked"
#: Bodies whose end never comes, as aiohttp tells it: a head's line, and what follows the head.
ENDLESS = (
    *(
        (CHUNKED, chunk + b"\r\n0\r\n\r\n")
        for chunk in (b"z\r\n", b"-1\r\n", b"f" * 5000, b"0x4\r\nab", b"4\r\nabcdefgh", b"4;\r\n\r\n", b"4;;;\r\nabcd")
    ),
    (CHUNKED + b"\r\nContent-Encoding: deflate", b"3\r\n" + zlib.compress(b"{}")[:3] + b"\r\n0\r\n\r\n"),
    (b"Content-Length: 3\r\nContent-Encoding: deflate", zlib.compress(b"{}")[:3]),
    (b"Content-Length: 5", b"{"),
)


def test_a_body_that_never_ends_is_given_up(place: Besieged):
    def send(path: bytes, line: bytes, body: bytes) -> Answer:
        return place.client.send_raw(head(b"POST", path, *place.client.headers, line), body)

    with ThreadPoolExecutor(len(BODIES) * len(ENDLESS)) as pool:
        waiting = [pool.submit(send, path, line, body) for path in BODIES for line, body in ENDLESS]
        answers = [each.result() for each in waiting]

    assert {answer.status for answer in answers} <= {400, 408}, answers


async def test_who_stops_in_the_middle_of_a_body_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("responder.webhook._PIECE_S", 0.3)
    async with aiohttp.ClientSession() as session:
        site = Site(tmp_path / "site", session)
        client = Client(*host_port(site.settings.responder.listen))
        headers = f"Authorization: Bearer {TOKEN}".encode(), b"Content-Length: 1000"
        async with site.responder():
            answers = await asyncio.gather(
                *(asyncio.to_thread(client.send_raw, head(b"POST", path, *headers), b"{") for path in BODIES)
            )

            assert [answer.status for answer in answers] == [408] * len(BODIES)
            assert await site.metric('homeostat_webhook_requests_total{code="408"}') == 1
            assert await site.recoveries() == []


# --- What stands around bodies

HEADERS = (
    b"Authorization: Bearer \xff\xfe",
    b"Authorization: Bearer " + b"x" * 8000,
    b"Authorization: Basic Og==",
    b"Authorization: Bearer %s\x00" % TOKEN.encode(),
    b"Authorization: Bearer " + TOKEN.encode() * 400,
    b"Authorization:",
    b"Content-Type: text/plain; charset=no-such",
    b"Content-Type: multipart/form-data",
    b"Content-Type: \xff",
    b"Accept: text/html",
    b"Accept-Encoding: \xff, gzip;q=nan",
    b"Cookie: a=\xff; \xfe=b",
    b"If-Modified-Since: yesterday",
    b"Range: bytes=9-1",
    b"Expect: 100-continue",
    b"Expect: the unexpected",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"X-Forwarded-For: ' OR 1=1",
    b"X-HTTP-Method-Override: DELETE",
    b"Transfer-Encoding: identity",
    b"Content-Length: 7",
    b"no colon",
    b": no name",
    b"X: \x00",
    b" X: folded",
    b"X: " + b"x" * 10_000,
    b"X" * 10_000 + b": x",
    *(b"\r\n".join([b"X%d: x" % n for n in range(count)]) for count in (100, 1000)),
)
any_header = st.tuples(st.binary(max_size=20), st.binary(max_size=40)).map(lambda pair: pair[0] + b": " + pair[1])


@given(hostile.payloads(), st.lists(st.sampled_from(HEADERS) | any_header, max_size=3), st.booleans())
@examples(100)
def test_any_headers(place: Besieged, payload: dict[str, object], headers: list[bytes], is_known: bool):
    body = json.dumps(payload).encode()
    client = place.client if is_known else place.stranger
    told = [
        line
        for line in headers
        if not line.lower().strip().startswith((b"transfer-encoding: ch", b"content-length: 7"))
    ]

    answer = client.send(b"POST", WEBHOOK, body, *told)

    check(answer)
    if answer.status == 202:
        place.remember(body)


METHODS = (
    b"GET",
    b"HEAD",
    b"PUT",
    b"DELETE",
    b"PATCH",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"POST",
    b"post",
    b"\xff",
    b"X" * 99,
)
PATHS = (
    WEBHOOK,
    WEBHOOK + b"/",
    b"/" + WEBHOOK,
    WEBHOOK + b"?" + b"a=b&" * 1000,
    WEBHOOK + b"#x",
    WEBHOOK + b";x",
    b"/webhook/../webhook/alertmanager",
    b"/%77ebhook/alertmanager",
    b"/webhook%2falertmanager",
    b"/WEBHOOK/ALERTMANAGER",
    b"http://other.example" + WEBHOOK,
    b"http://[::1" + WEBHOOK,
    b"//[" + WEBHOOK,
    b"*",
    b"",
    b"/" + b"x" * 10_000,
    b"/%ff%00%zz",
    b"/api/v1/../../webhook/alertmanager",
    b"/-/reload/x",
)


@given(
    st.sampled_from(METHODS) | st.binary(max_size=8),
    st.sampled_from(PATHS) | st.binary(max_size=30).map(lambda raw: b"/" + raw),
)
@examples(120)
def test_any_method_and_path(place: Besieged, method: bytes, path: bytes):
    for client in (place.client, place.stranger):
        answer = client.send(method, path)

        assert answer.status in {*RIGHT, 200}, answer
        assert answer.status != 202


@given(st.binary(max_size=300), st.booleans())
@examples(100)
def test_what_is_no_http(place: Besieged, raw: bytes, is_after_a_request: bool):
    """0: it may well be that it waits for more, and hangs up with the sender."""
    before = (
        (head(b"POST", WEBHOOK, b"Content-Length: 0").replace(b"close", b"keep-alive"),) if is_after_a_request else ()
    )

    answer = place.client.send_raw(*before, raw + b"\r\n\r\n", hangs_up=True)

    assert answer.status in {*RIGHT, 0}
