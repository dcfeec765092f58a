"""The API for operators, whatever is asked: an answer in time, holds that can be read again, nobody's word taken for a
person's, nothing done.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import hostile
import pytest
from besieged import Besieged, besieged
from effort import examples
from fakes.stack import wire_alert, wire_body
from hypothesis import given
from hypothesis import strategies as st
from rawhttp import WITHIN_S, Answer

pytestmark = pytest.mark.usefixtures("unharmed")

RIGHT = {200, 400, 401, 404, 405, 409, 413}
#: The only recovery: its step waits for a person.
ASKED = "a" * 16


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    with besieged(tmp_path_factory.mktemp("besieged")) as place:
        ask(place)
        yield place


def ask(place: Besieged) -> None:
    """Everything is there for a step but a person's word."""
    place.world.troubled.append("local/api")
    labels = {"alertname": "WorkloadDown", "workload": "local/api", "remedy": "careful"}
    assert place.deliver(wire_body({**wire_alert(), "labels": labels, "fingerprint": ASKED})).status == 202
    assert place.eventually(lambda: '"pending"' in place.get("/api/v1/recoveries/1"))


def send(place: Besieged, method: bytes, path: str, body: bytes = b"") -> Answer:
    """With the token and without it: without it nothing is ever changed."""
    stranger = place.stranger.send(method, path.encode(), body)
    assert stranger.status in RIGHT, stranger
    answer = place.client.send(method, path.encode(), body)
    assert answer.status in RIGHT, answer
    assert max(answer.seconds, stranger.seconds) < WITHIN_S
    return answer


# --- A word about a recovery

numbers = st.integers(0, 10**20).map(str) | st.sampled_from(
    ["01", "-1", "1.0", "1e0", "%31", "0x1", "", "..", "\u0661"]
)
#: All that a word may be but a good one.
words = (
    hostile.json_values
    | st.dictionaries(st.sampled_from(["by", "reason", "x"]), hostile.json_values, max_size=3)
    | st.fixed_dictionaries({"by": st.sampled_from(["", "a\nb", "x" * 121, "\ud800", None, 5])})
    | st.fixed_dictionaries({"by": st.just("jane"), "reason": st.sampled_from(["x" * 1001, "\udc00", None, []])})
)


@given(numbers, st.sampled_from(["approve", "reject", "Approve", "approve/", "", "verify"]), words)
@examples(120)
def test_a_word_about_a_recovery_that_is_not_there(place: Besieged, number: str, word: str, body: object):
    if number in ("1", "01", "%31"):
        number = "2"

    answer = send(place, b"POST", f"/api/v1/recoveries/{quote(number, safe='%')}/{word}", json.dumps(body).encode())

    assert answer.status != 200


@given(st.binary(max_size=200) | words.map(lambda value: json.dumps(value).encode()))
@examples(150)
def test_only_a_person_with_a_name_approves(place: Besieged, body: bytes):
    if is_a_word(body):
        body += b","

    for word in ("approve", "reject"):
        assert send(place, b"POST", f"/api/v1/recoveries/1/{word}", body).status == 400

    entries = json.loads(place.get("/api/v1/recoveries/1"))["entries"]
    assert {"approved", "rejected"}.isdisjoint(entry["kind"] for entry in entries)


def is_a_word(body: bytes) -> bool:
    try:
        value = json.loads(body)
        return 0 < len(value["by"]) <= 120 and value["by"].isprintable() and value.get("reason", "").isprintable()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


# --- Holds

patterns = st.sampled_from(["*", "shop/*", "shop/web", "no/such", "shop/web\n", "*/*", "", "shop", "../*", "a/\u0661"])
holds = st.fixed_dictionaries(
    {"pattern": patterns | hostile.json_values, "by": st.just("jane") | hostile.json_values},
    optional={
        "reason": hostile.nasty_text | hostile.json_values,
        "seconds": st.sampled_from([1, 3600, 1e9, 3153600000.0, 3153600001, 1e12, 1e308, float("inf"), True, "1h"])
        | hostile.json_values,
        "more": hostile.json_values,
    },
)


@given(holds | hostile.json_values)
@examples(150)
def test_a_hold_that_is_put_can_be_read_and_dropped(place: Besieged, hold: object):
    answer = send(place, b"POST", "/api/v1/holds", json.dumps(hold).encode())

    listed = json.loads(place.get("/api/v1/holds"), parse_constant=no_json)
    assert [each["pattern"] for each in listed] == ([hold["pattern"]] if answer.status == 200 else [])
    for each in listed:
        assert send(place, b"DELETE", f"/api/v1/holds?pattern={quote(each['pattern'])}").status == 200


def no_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


@given(st.binary(max_size=200))
@examples(50)
def test_a_hold_of_any_bytes(place: Besieged, body: bytes):
    assert send(place, b"POST", "/api/v1/holds", body).status == 400


queries = st.binary(max_size=30).map(quote) | st.sampled_from(
    ["%ff", "%00", "&&=", "pattern", "*", "%2A&pattern=shop/*"]
)


@given(queries)
@examples(60)
def test_a_hold_that_is_not_there_is_not_dropped(place: Besieged, query: str):
    assert send(place, b"DELETE", f"/api/v1/holds?pattern={query}").status == 404


# --- What would be done


@given(
    st.binary(max_size=300)
    | hostile.json_values.map(lambda value: json.dumps(value).encode())
    | hostile.near_payloads()
)
@examples(150)
def test_a_plan_of_anything(place: Besieged, body: bytes):
    answer = send(place, b"POST", "/api/v1/plan", body)

    assert answer.status in (200, 400)
    json.loads(answer.body, parse_constant=no_json)


@given(hostile.labels)
@examples(60)
def test_a_plan_of_an_alert_says_what_it_is_about(place: Besieged, labels: dict[str, str]):
    plan = json.loads(send(place, b"POST", "/api/v1/plan", json.dumps({"labels": labels}).encode()).body)

    assert plan["workload"] == labels.get("workload", "")
    assert all(not rung["taken"] for rung in plan["ladder"]) or plan["workload"] == "local/api"


# --- Reading

NUMBERS = (
    "0",
    "-1",
    "1",
    "1000",
    "1001",
    "3660",
    "3661",
    "00001",
    "1e3",
    "+5",
    "%201",
    "1%0a",
    "%D9%A3",
    "nan",
    "9" * 5000,
)
LISTS = (
    "/api/v1/recoveries?limit=",
    "/api/v1/episodes?limit=",
    "/api/v1/episodes?open=true&limit=",
    "/api/v1/stats?days=",
)


@pytest.mark.parametrize("path", LISTS)
@given(st.sampled_from(NUMBERS) | queries)
@examples(40)
def test_any_number_in_a_query(place: Besieged, path: str, number: str):
    answer = send(place, b"GET", path + number)

    assert answer.status in (200, 400)
    if answer.status == 200:
        json.loads(answer.body, parse_constant=no_json)


@given(st.binary(max_size=40).map(lambda raw: quote(raw, safe="/")))
@examples(80)
def test_any_path_below_the_api(place: Besieged, path: str):
    send(place, b"GET", f"/api/v1/{path}")


# --- That it would have acted


def test_a_good_word_is_acted_on(tmp_path: Path):
    """The other tests could see an action."""
    with besieged(tmp_path) as place:
        ask(place)

        assert send(place, b"POST", "/api/v1/recoveries/1/approve", b'{"by": "jane"}').status == 200

        assert place.eventually((place.folder / "ran").exists)
