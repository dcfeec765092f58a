"""Figures against what is promised of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.report import Bar, conclude, percentile
from benchmarks.responder import crash, latency, replicas, storm
from benchmarks.responder.audit import Audit
from benchmarks.responder.sender import Delivery

_MB = 1e6


@dataclass(slots=True)
class Figures:
    """What was run; the rest is None."""

    small: storm.Figures | None = None
    large: storm.Figures | None = None
    crashes: crash.Figures | None = None
    ha: replicas.Figures | None = None
    latencies: latency.Figures | None = None


def report(figures: Figures, repetitions: Mapping[str, object], *, as_json: bool) -> None:
    """Print, and exit 1 when a bar is not met."""
    table = Table("what", "figure")
    bars: dict[str, Bar] = {}
    details: dict[str, object] = {"repetitions": dict(repetitions)}
    for name, rows, own_bars, raw in _parts(figures):
        for row in rows:
            table.add_row(f"{name}: {row[0]}", row[1])
        bars |= {f"{name}_{key}": bar for key, bar in own_bars.items()}
        details[name] = raw
    conclude(table, bars, details, as_json=as_json)


_Part = tuple[str, list[tuple[str, str]], dict[str, Bar], dict[str, object]]


def _parts(figures: Figures) -> Iterator[_Part]:
    if figures.small:
        yield _storm("storm", figures.small)
    if figures.large:
        yield _storm("storm_large", figures.large)
    if figures.crashes:
        yield _crash(figures.crashes)
    if figures.ha:
        yield _replicas(figures.ha)
    if figures.latencies:
        yield _latency(figures.latencies)


def _promises(audit: Audit, *, all_end: bool) -> dict[str, Bar]:
    """That hold in every scenario."""
    bars = {
        "lost": Bar(len(audit.lost), 0),
        "done_twice": Bar(len(audit.repeated), 0),
        "recovered_twice": Bar(len(audit.reopened), 0),
        "done_unwritten_or_not_done": Bar(len(audit.unwritten) + len(audit.untrue), 0),
        "ledger_problems": Bar(len(audit.problems), 0),
    }
    return bars | ({"without_one_final": Bar(len(audit.endless), 0)} if all_end else {})


def _storm(name: str, figures: storm.Figures) -> _Part:
    took_ms = [delivery.took_s * 1e3 for delivery in figures.deliveries]
    alerts = len(took_ms) * figures.per_body
    p99, rss = percentile(took_ms, 0.99), figures.peak_bytes / _MB
    ends = f"{figures.ended:.0f} of {figures.audit.episodes}"
    rows = [
        ("alerts delivered", f"{alerts} in {figures.sending_s:.1f} s, {figures.per_body} a body"),
        ("acknowledged after, p50 / p99 / most", f"{percentile(took_ms, 0.5):.1f} / {p99:.1f} / {max(took_ms):.1f} ms"),
        ("of that, the sender was late, p99", f"{_late_ms(figures.deliveries):.1f} ms"),
        ("CPU per alert", f"{figures.cpu_s / alerts * 1e6:.0f} us"),
        ("resident memory, most", f"{rss:.1f} MB"),
        ("recoveries ended", ends if figures.drained_s is None else f"{ends} in {figures.drained_s:.0f} s"),
    ]
    bars = _promises(figures.audit, all_end=False) | {"rss_mb": Bar(rss, 150.0)}
    if figures.per_body == storm.SMALL:
        bars["ack_p99_ms"] = Bar(p99, 50.0)
    worst = sorted(figures.deliveries, key=lambda delivery: -delivery.took_s)[:20]
    raw: dict[str, object] = {
        "ack_ms": {"median": percentile(took_ms, 0.5), "p99": p99, "worst": [_told(each) for each in worst]},
        "sender_late_p99_ms": _late_ms(figures.deliveries),
        "cpu_s": figures.cpu_s,
        "memory_mb": [(at, round(size / _MB, 1)) for at, size in figures.memory[::5]],
        "refused": figures.refused,
        "broken": figures.broken,
        "recoveries_ended": figures.ended,
        "drained_s": figures.drained_s,
        "ledger_mb": figures.ledger_bytes / _MB,
        "audit": figures.audit.summary(),
    }
    return name, rows, bars, raw


def _late_ms(deliveries: Sequence[Delivery]) -> float:
    return percentile([each.sent_s - each.due_s for each in deliveries], 0.99) * 1e3


def _told(delivery: Delivery) -> dict[str, float]:
    return {"due_s": round(delivery.due_s, 2), "ms": round(delivery.took_s * 1e3, 1)}


def _crash(figures: crash.Figures) -> _Part:
    rows = [
        ("kills", f"{figures.kills}, of them {figures.early} before it was ready"),
        ("from start to ready, median", f"{percentile(figures.start_s, 0.5):.2f} s"),
        *_audited(figures.audit),
    ]
    raw: dict[str, object] = {
        "kills": figures.kills,
        "kills_before_ready": figures.early,
        "start_s": {"median": percentile(figures.start_s, 0.5), "raw": figures.start_s},
        "deliveries_refused": figures.refused,
        "deliveries_broken": figures.broken,
        "settled_s": figures.settled_s,
        "settings_changed": crash.SETTINGS,
        "audit": figures.audit.summary(),
    }
    return "crash", rows, _promises(figures.audit, all_end=True), raw


def _replicas(figures: replicas.Figures) -> _Part:
    rows = [
        ("alerts", f"{figures.alerts}, {figures.untold} ended untold"),
        ("deliveries taken by the two", f"{figures.received:.0f}"),
        ("stalls of a link to Redis", str(figures.stalls)),
        *_audited(figures.audit),
    ]
    raw: dict[str, object] = {
        "alerts": figures.alerts,
        "ended_untold": figures.untold,
        "deliveries_taken": figures.received,
        "stalls": figures.stalls,
        "settled_s": figures.settled_s,
        "settings_changed": replicas.SETTINGS,
        "audit": figures.audit.summary(),
    }
    return "ha", rows, _promises(figures.audit, all_end=True), raw


def _audited(audit: Audit) -> list[tuple[str, str]]:
    finals = ", ".join(f"{count} {final}" for final, count in audit.finals.items())
    return [
        ("recoveries", f"{audit.episodes}: {finals}"),
        ("steps started / seen", f"{audit.started} / {audit.hits}; {audit.interrupted} interrupted"),
    ]


def _latency(figures: latency.Figures) -> _Part:
    action_ms, answer_ms = ([each * 1e3 for each in some] for some in (figures.to_action_s, figures.to_answer_s))
    p99 = percentile(action_ms, 0.99)
    rows = [
        (
            "alert to action, p50 / p99 / most",
            f"{percentile(action_ms, 0.5):.0f} / {p99:.0f} / {max(action_ms):.0f} ms",
        ),
        ("alert to 202, p50 / p99", f"{percentile(answer_ms, 0.5):.1f} / {percentile(answer_ms, 0.99):.1f} ms"),
    ]
    missing = figures.audit.episodes - len(action_ms)
    bars = _promises(figures.audit, all_end=True) | {
        "alert_to_action_p99_ms": Bar(p99, 250.0),
        "alerts_without_action": Bar(missing, 0),
    }
    raw: dict[str, object] = {
        "alert_to_action_ms": {"median": percentile(action_ms, 0.5), "p99": p99, "raw": action_ms},
        "alert_to_202_ms": {"median": percentile(answer_ms, 0.5), "p99": percentile(answer_ms, 0.99)},
        "settings_changed": latency.SETTINGS,
        "audit": figures.audit.summary(),
    }
    return "latency", rows, bars, raw
