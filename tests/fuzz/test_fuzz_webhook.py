"""POST /webhook/alertmanager, whatever it is given: an answer in time, nothing lost or written twice, nothing done."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile
import pytest
from besieged import Besieged, besieged, check
from effort import examples
from fakes.stack import wire_alert, wire_body
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("unharmed")


# --- Bodies


@given(st.binary(max_size=500))
@examples(100)
def test_any_bytes(place: Besieged, body: bytes):
    check(place.deliver(body))


@given(hostile.json_values)
@examples(100)
def test_any_json(place: Besieged, value: object):
    check(place.deliver(json.dumps(value).encode()))


@given(hostile.payloads())
@examples(60)
def test_a_payload_is_taken_in_whatever_its_alerts_say(place: Besieged, payload: dict[str, object]):
    answer = place.deliver(json.dumps(payload).encode(errors="surrogatepass"))

    check(answer)
    assert answer.status in (202, 400)


@given(hostile.near_payloads())
@examples(200)
def test_what_is_nearly_a_payload(place: Besieged, body: bytes):
    check(place.deliver(body))


@given(hostile.payloads(), st.integers(2, 4))
@examples(20)
def test_a_payload_again_and_again_is_one_trouble(place: Besieged, payload: dict[str, object], times: int):
    body = json.dumps(payload).encode()

    answers = {place.deliver(body).status for _ in range(times)}

    assert len(answers) == 1


def one(**changed: object) -> bytes:
    return wire_body({**wire_alert(), **changed})


LARGE: dict[str, Callable[[], bytes]] = {
    "100,000 labels": lambda: one(labels={f"l{n}": "" for n in range(100_000)}, fingerprint="a" * 16),
    "100,000 wrong labels": lambda: one(labels=dict.fromkeys(map(str, range(100_000)), 0)),
    "100,000 wrong label names": lambda: one(labels={f"\ud800{n}": "" for n in range(100_000)}),
    "a label of 5 MB": lambda: one(labels={"alertname": "A", "hostile": "x" * 5_000_000}, fingerprint="b" * 16),
    "10,000 alerts": lambda: wire_body(*(wire_alert(1, alertname="HomeostatStorm") for _ in range(10_000))),
    "a million alerts that are none": lambda: b'{"version":"4","alerts":[' + b"{}," * 1_000_000 + b"{}]}",
    "a million numbers": lambda: b'{"version":"4","alerts":[' + b"0," * 1_000_000 + b"0]}",
    "a million unknown keys": lambda: b"{" + b",".join(b'"%d":0' % n for n in range(1_000_000)) + b"}",
    "a list of a million levels": lambda: b"[" * 1_000_000,
    "mappings of a million levels": lambda: b'{"alerts":' * 1_000_000,
    "a label of 100,000 levels": lambda: one().replace(b'"shop/web"', b"[" * 100_000 + b"]" * 100_000),
    "a number of a million digits": lambda: b"9" * 1_000_000,
    "a million digits as a time": lambda: one(startsAt="9" * 1_000_000),
    "spaces up to the limit": lambda: b" " * (16 << 20),
    "spaces past the limit": lambda: b" " * (17 << 20),
    "16 MB of escapes": lambda: b'{"version": "' + b"\\u0034" * (2_700_000) + b'"}',
}


@pytest.mark.parametrize("kind", LARGE)
def test_what_is_large_is_answered_soon_fills_no_memory_and_holds_up_nobody(place: Besieged, kind: str):
    body = LARGE[kind]()
    memory = place.memory()
    before = memory.now_mib()
    memory.forget_peak()

    others: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(place.deliver, body)
        while not delivery.done():
            others.append(place.stranger.send(b"GET", b"/-/healthy").seconds)

    check(delivery.result())
    assert max(others) < 2.0
    # A JSON document of small values is many times as large once it is read.
    assert memory.peak_mib() - before < 100 + 15 * len(body) / 2**20


# --- That it would have acted


def test_what_is_true_is_acted_on(tmp_path: Path):
    """The other tests could see an action: the same alert, and a rule that is true of its workload."""
    with besieged(tmp_path) as place:
        place.world.troubled.append("local/api")
        for remedy, fingerprint in (("mark", "a" * 16), ("memory", "b" * 16)):
            labels = {"alertname": "WorkloadDown", "workload": "local/api", "remedy": remedy}
            assert place.deliver(one(labels=labels, fingerprint=fingerprint)).status == 202

        assert place.eventually(lambda: (place.folder / "ran").exists() and place.world.acted == ["/hooks/gc"])


def test_the_last_gate_was_reached(place: Besieged):
    """Of the alerts of the tests above some were refused for nothing else than that their rule is not true."""
    labels = {"alertname": "WorkloadDown", "workload": "local/worker", "remedy": "mark"}
    place.deliver(one(labels=labels, fingerprint="c" * 16))

    assert place.eventually(lambda: re.search(r'refusals_total{reason="rule_not_true"} [1-9]', place.get("/metrics")))
