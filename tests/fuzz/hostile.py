"""Hypothesis strategies: what nobody who means well sends."""

import json
from copy import deepcopy

from hypothesis import strategies as st

#: Said to shells, templates, PromQL, SQL, URLs, paths, terminals and logs; and text that is hard to keep.
NASTY = (
    "",
    " ",
    "$(touch /tmp/x)",
    "`id`",
    "; rm -rf / #",
    "../../etc/passwd",
    "{{ .Labels }}",
    '"} or up{',
    '"} or vector(1) or x{a="',
    "\\",
    '\\"',
    "'; DROP TABLE entries;--",
    "$workload",
    ".*",
    "shop/web\n",
    "shop/web\x00",
    "local/api\u200b",
    "\x1b[2J",
    "\u202e",
    "\u2028",
    "\U0001d54f",
    "\uffff",
    "a\rb",
    "<script>",
    "%s%n{}",
    "NaN",
    "x" * 5000,
)
#: Names that mean something to homeostat.
WORKLOADS = ("local/api", "local/nobody", "shop/web", "shop/*", "*", "local/", "/api", "local/api/x", "LOCAL/API")
REMEDIES = ("down", "unresponsive", "memory", "crash_loop", "record", "mark", "no_such", "restart", "exec", "__class__")
ALERTS = ("WorkloadDown", "WorkloadMemoryHigh", "HomeostatEscalation", "HomeostatDeadMan", "HomeostatStorm", "Up{}")

nasty_text = st.sampled_from(NASTY) | st.text(max_size=20)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 1e308, float("inf"), float("-inf"), float("nan"), "\ud800", "\udfff\ud800"])
    | st.floats()
    | nasty_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(nasty_text, inner, max_size=4),
    max_leaves=12,
)

#: At the edges of calendars, clocks and of RFC 3339; half of them are no time at all.
TIMES = (
    "2026-11-23T10:00:00.123456789Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "0001-12-31T23:59:59.999999999-23:59",
    "0002-01-01T00:00:00+23:59",
    "1969-12-31T23:59:59Z",
    "1582-10-10T00:00:00Z",
    "9998-12-31T23:59:59.999999999-23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-06-30T23:59:60Z",
    "2026-11-23T24:00:00Z",
    "2026-11-23T10:00:00+24:00",
    "2026-11-23 10:00:00Z",
    "2026-W01-1T00Z",
    "20261123T100000Z",
    "\u0662\u0660\u0662\u0666-11-23T10:00:00Z",
    "-2026-11-23T10:00:00Z",
    "now",
    "",
)

fingerprints = st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}")
labels = st.fixed_dictionaries(
    {"alertname": st.sampled_from(ALERTS)},
    optional={
        "workload": st.sampled_from(WORKLOADS) | nasty_text,
        "remedy": st.sampled_from(REMEDIES) | nasty_text,
        "container": nasty_text,
        "severity": nasty_text,
        "hostile": nasty_text,
    },
)
#: Each is taken in: it has the form of an alert, whatever it says.
alerts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["firing", "firing", "firing", "resolved"]),
        "labels": labels,
        "startsAt": st.sampled_from(TIMES[:8]),
        "fingerprint": fingerprints,
    },
    optional={
        "annotations": st.dictionaries(nasty_text, nasty_text, max_size=3),
        "endsAt": json_values,
        "generatorURL": json_values,
        "more": json_values,
    },
)


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, object]:
    """As Alertmanager sends it."""
    more = draw(st.dictionaries(st.sampled_from(["status", "groupKey", "receiver", "truncatedAlerts"]), json_values))
    return {**more, "version": "4", "alerts": draw(st.lists(alerts, max_size=4))}


@st.composite
def near_payloads(draw: st.DrawFn) -> bytes:
    """A payload with a few things wrong with it: in its data, in its text, in its bytes; or with none."""
    payload: object = draw(payloads())
    for _ in range(draw(st.integers(0, 2))):
        payload = _mutated(draw, payload)
    text = json.dumps(payload, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 3)) == 0:
        text = draw(st.sampled_from(_REWRITES))(text)
    body = text.encode(errors="surrogatepass")
    return _damaged(draw, body) if draw(st.integers(0, 3)) == 0 else body


_REWRITES = (
    lambda text: text.replace("{", '{"status": "firing", "alerts": [], "version": "4", ', 2),  # duplicate keys
    lambda text: text.replace('"alerts": [', '"alerts": [' + "[" * 2000, 1),
    lambda text: text.replace('"labels": {', '"labels": {' + '"a": {' * 500, 1),
    lambda text: text.replace('"firing"', '"firing\\u0000"', 1),
    lambda text: text.replace('"firing"', "1e999", 1),
    lambda text: text.replace('"4"', "4" * 5000, 1),
    lambda text: text.replace('"alertname"', '"\\ud800alertname"', 1),
    lambda text: text + " " * 1000,
    lambda text: text + text,
    lambda text: "\ufeff" + text,
    lambda text: text.replace('"', "'"),
)


def _mutated(draw: st.DrawFn, payload: object) -> object:
    """Something else at one place of it, or nothing there."""
    copy = deepcopy(payload)
    inside = draw(st.sampled_from(places(copy) or [[]]))
    if not inside:
        return draw(json_values)
    key = draw(st.sampled_from(list(range(len(inside))) if isinstance(inside, list) else list(inside)))
    if draw(st.booleans()):
        inside[key] = draw(json_values)
    else:
        del inside[key]
    return copy


def places(value: object) -> list[list | dict]:
    """Every list and mapping in it."""
    match value:
        case dict():
            return [value, *(place for item in value.values() for place in places(item))]
        case list():
            return [value, *(place for item in value for place in places(item))]
        case _:
            return []


def _damaged(draw: st.DrawFn, body: bytes) -> bytes:
    at = draw(st.integers(0, len(body)))
    return body[:at] + draw(st.binary(max_size=4)) + body[draw(st.integers(at, len(body))) :]
