"""What is let in at the webhook, and what is turned away in words."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.clock import rfc3339
from homeostat.errors import SettingsError
from responder.ledger import Alert
from responder.webhook import is_authorised, parse_body, read_tokens

ALERT = {
    "status": "firing",
    "labels": {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down"},
    "annotations": {"summary": "It is down."},
    "startsAt": "2026-11-23T10:00:00.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://localhost:9090/graph",
    "fingerprint": "0123456789abcdef",
}
PAYLOAD = {
    "version": "4",
    "groupKey": '{}/{remedy=~".+"}:{workload="shop/web"}',
    "truncatedAlerts": 0,
    "status": "resolved",  # contradicts the alert: top-level status says nothing about one alert
    "receiver": "responder",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://localhost:9093",
    "alerts": [ALERT],
}


def body(*alerts: object, **payload: object) -> bytes:
    return json.dumps({**PAYLOAD, "alerts": list(alerts or [ALERT]), **payload}).encode()


def changed(**fields: object) -> dict[str, object]:
    alert = deepcopy(ALERT)
    for name, value in fields.items():
        if value is None:
            del alert[name]
        else:
            alert[name] = value
    return alert


# --- Taken in


def test_takes_every_alert_of_a_delivery_by_its_own_status():
    resolved = changed(status="resolved", fingerprint="f" * 16)

    alerts = parse_body(body(ALERT, resolved))

    assert [alert.is_firing for alert in alerts] == [True, False]
    assert alerts[0] == Alert(
        fingerprint="0123456789abcdef",
        labels=ALERT["labels"],
        annotations=ALERT["annotations"],
        starts_at=pytest.approx(1795428000.123456),
        is_firing=True,
    )


def test_takes_fields_that_newer_alertmanagers_add():
    later = changed(notification_reason="new alerts added", routeLabels={"a": 1}, nested=[{"x": None}])

    assert len(parse_body(body(later, notification_reason="first notification", routeLabels={"team": "shop"}))) == 1


def test_takes_a_delivery_without_alerts():
    assert parse_body(json.dumps({**PAYLOAD, "alerts": []}).encode()) == []


def test_takes_an_alert_without_annotations_and_the_zero_time():
    alerts = parse_body(body(changed(annotations=None, startsAt="0001-01-01T00:00:00Z")))

    assert (alerts[0].annotations, alerts[0].starts_at) == ({}, 0.0)


@pytest.mark.parametrize(
    "workload", ["$(rm -rf /)", "../../etc/passwd", "{{ .Labels }}", '"} or up{', "\u0000", "\U0001d54f\u202e"]
)
def test_labels_are_taken_as_data(workload: str):
    alerts = parse_body(body(changed(labels={"workload": workload})))

    assert alerts[0].labels["workload"] == workload


# --- Turned away

MALFORMED = {
    "nothing": b"",
    "not JSON": b"hello",
    "cut off": body()[:-20],
    "more after the end": body() + b"{}",
    "a list": b"[]",
    "null": b"null",
    "a number": b"4",
    "invalid UTF-8": body().replace(b"shop/web", b"shop/\xff\xfe"),
    "overlong UTF-8": body().replace(b"shop/web", b"shop/\xc0\xaf"),
    "a lone surrogate": body().replace(b"shop/web", b"shop/\\ud800"),
    "UTF-16": body().decode().encode("utf-16"),
    "deep lists": b"[" * 100_000,
    "deep lists in a label": body().replace(b'"shop/web"', b"[" * 100_000 + b"]" * 100_000),
    "deep mappings in an unknown field": b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
    "version 3": body(version="3"),
    "version as a number": body(version=4),
    "no version": json.dumps({"alerts": [ALERT]}).encode(),
    "no alerts": json.dumps({"version": "4"}).encode(),
    "alerts as a mapping": json.dumps({**PAYLOAD, "alerts": {"0": ALERT}}).encode(),
    "alerts as text": json.dumps({**PAYLOAD, "alerts": "[]"}).encode(),
    "an alert that is null": json.dumps({**PAYLOAD, "alerts": [None]}).encode(),
    "one bad alert among good ones": body(ALERT, changed(status="FIRING"), ALERT),
    "unknown status": body(changed(status="suppressed")),
    "no status": body(changed(status=None)),
    "status with a line break": body(changed(status="firing\n")),
    "no labels": body(changed(labels=None)),
    "labels as a list": body(changed(labels=["a"])),
    "a label that is a number": body(changed(labels={"workload": 5})),
    "a label that is null": body(changed(labels={"workload": None})),
    "a huge number as a label": body().replace(b'"shop/web"', b"9" * 10_000),
    "no fingerprint": body(changed(fingerprint=None)),
    "an empty fingerprint": body(changed(fingerprint="")),
    "a fingerprint in capitals": body(changed(fingerprint="0123456789ABCDEF")),
    "a fingerprint with a line break": body(changed(fingerprint="0123456789abcdef\n")),
    "no start": body(changed(startsAt=None)),
    "a start as a number": body(changed(startsAt=1795428000)),
    "a start in words": body(changed(startsAt="yesterday")),
    "a start without a zone": body(changed(startsAt="2026-11-23T10:00:00")),
    "a start in no month": body(changed(startsAt="2026-13-23T10:00:00Z")),
    "a start past every calendar": body(changed(startsAt="9999-12-31T23:59:59-23:59")),
    "a huge number as a start": body().replace(b'"2026-11-23T10:00:00.123456789Z"', b"1" + b"0" * 5_000),
}


@pytest.mark.parametrize("given_", MALFORMED.values(), ids=MALFORMED.keys())
def test_turns_away_what_is_no_payload_and_says_where(given_: bytes):
    with pytest.raises(ValueError, match="not an Alertmanager payload: ") as caught:
        parse_body(given_)

    assert len(str(caught.value)) < 300


def test_the_message_names_the_place():
    with pytest.raises(ValueError, match=r"alerts\.1\.status"):
        parse_body(body(ALERT, changed(status="FIRING")))


def test_the_message_does_not_repeat_what_was_sent():
    with pytest.raises(ValueError, match="payload") as caught:
        parse_body(body(changed(status="s3cret-value")))

    assert "s3cret" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_list_or_a_value_error(given_: bytes):
    try:
        assert isinstance(parse_body(given_), list)
    except ValueError as err:
        assert type(err) is ValueError  # noqa: PT017 - either outcome is right


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
times = st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-W01-1T00Z", ""])


@given(st.data())
def test_any_values_in_the_right_places_give_alerts_that_can_be_kept_or_a_value_error(data: st.DataObject):
    """What is let in must also be able to be written and shown again."""
    alert = {**ALERT, "annotations": data.draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2))}
    for name in data.draw(st.sets(st.sampled_from(sorted(ALERT)), max_size=3)):
        alert[name] = data.draw(times if name == "startsAt" else json_values)
    try:
        alerts = parse_body(body(alert))
    except ValueError as err:
        assert type(err) is ValueError  # noqa: PT017 - either outcome is right
    else:
        for kept in alerts:
            assert rfc3339(kept.starts_at)
            assert json.dumps([kept.labels, kept.annotations]).encode()


@given(position=st.integers(0, len(body()) - 1), byte=st.integers(0, 255))
def test_one_byte_changed_gives_a_list_or_a_value_error(position: int, byte: int):
    given_ = bytearray(body())
    given_[position] = byte
    try:
        assert isinstance(parse_body(bytes(given_)), list)
    except ValueError as err:
        assert type(err) is ValueError  # noqa: PT017 - either outcome is right


# --- Who may deliver

OLD, NEW = b"old-token-0123456789", b"new-token-0123456789"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer old-token-0123456789", True),
        ("Bearer new-token-0123456789", True),
        ("bearer old-token-0123456789", True),  # RFC 9110: the scheme is case-insensitive
        ("BEARER  old-token-0123456789 ", True),
        (None, False),
        ("", False),
        ("Bearer", False),
        ("Bearer ", False),
        ("old-token-0123456789", False),
        ("Basic old-token-0123456789", False),
        ("Token old-token-0123456789", False),
        ("Bearer old-token-012345678", False),
        ("Bearer old-token-01234567890", False),
        ("Bearer Old-token-0123456789", False),
        ("Bearer old-token-0123456789,new-token-0123456789", False),
        ("Bearer wrong\udcff\udcfe", False),  # raw bytes in a header, as aiohttp gives them
        ("Bearer töken-0123456789-ü", False),
        ("\udcff", False),
        ("Bearer " + "x" * 100_000, False),
        ("Bearer old-token-0123456789\x00", False),
    ],
)
def test_only_a_bearer_token_opens(header: str | None, expected: bool):
    assert is_authorised(header, (OLD, NEW)) is expected


def test_without_tokens_nobody_is_let_in():
    assert not is_authorised("Bearer ", ())
    assert not is_authorised("Bearer old-token-0123456789", ())


@given(st.text() | st.text(alphabet="\udc80\udcff Bearer"))
def test_no_header_raises(header: str):
    assert is_authorised(header, (OLD,)) is (header.split() == ["Bearer", OLD.decode()])


# --- Tokens on disk


def test_reads_a_token_a_file_without_its_line_break(tmp_path: Path):
    (tmp_path / "a").write_bytes(OLD + b"\n")
    (tmp_path / "b").write_bytes(NEW)

    assert read_tokens([tmp_path / "a", tmp_path / "b"]) == (OLD, NEW)


@pytest.mark.parametrize("content", [b"", b"\n", b"s3cret", b" " * 40])
def test_a_short_token_is_refused_without_being_repeated(tmp_path: Path, content: bytes):
    path = tmp_path / "token"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match="shorter than 16 bytes") as caught:
        read_tokens([path])

    assert str(path) in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_missing_token_file_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match="no-such-file: No such file"):
        read_tokens([tmp_path / "no-such-file"])


def test_a_folder_as_token_file_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match="Is a directory"):
        read_tokens([tmp_path])
