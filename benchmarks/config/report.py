"""Figures against what is promised of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.config import corruption, crash, faults, hashing, roundtrip
from benchmarks.report import Bar, conclude, percentile

_MOST_TOLD = 20


@dataclass(slots=True)
class Figures:
    """What was run; the rest is None."""

    crashes: crash.Figures | None = None
    failures: faults.Figures | None = None
    watched: hashing.Figures | None = None
    trips: roundtrip.Figures | None = None
    damages: Sequence[corruption.Outcome] = ()


def report(figures: Figures, sizes: Mapping[str, object], *, as_json: bool) -> None:
    """Print, and exit 1 when a bar is not met."""
    table = Table("what", "figure")
    bars: dict[str, Bar] = {}
    details: dict[str, object] = {"repetitions": dict(sizes)}
    for name, rows, own_bars, raw in _parts(figures):
        for row in rows:
            table.add_row(f"{name}: {row[0]}", row[1])
        bars |= {f"{name}_{key}": bar for key, bar in own_bars.items()}
        details[name] = raw
    conclude(table, bars, details, as_json=as_json)


_Part = tuple[str, list[tuple[str, str]], dict[str, Bar], dict[str, object]]


def _parts(figures: Figures) -> Iterator[_Part]:
    if figures.crashes:
        yield _crash(figures.crashes)
    if figures.failures:
        yield _faults(figures.failures)
    if figures.watched:
        yield _hashing(figures.watched)
    if figures.trips:
        yield _roundtrip(figures.trips)
    if figures.damages:
        yield _corruption(figures.damages)


def _crash(figures: crash.Figures) -> _Part:
    rows = [
        ("updates", f"{figures.updates} in {figures.took_s:.0f} s, {figures.kills} kills"),
        ("acknowledged / made, but not said", f"{figures.acknowledged} / {figures.unacknowledged}"),
        ("conflicts that were tried again", str(figures.conflicts)),
        ("reads", f"{figures.reads}, {figures.contents_seen} contents seen"),
    ]
    wrong = {
        "lost": figures.lost,
        "read_and_never_written": figures.never_written,
        "damaged": figures.damaged,
        "left_behind": figures.strays,
    }
    counts = {
        "updates": figures.updates,
        "kills": figures.kills,
        "took_s": figures.took_s,
        "acknowledged": figures.acknowledged,
        "unacknowledged": figures.unacknowledged,
        "conflicts": figures.conflicts,
        "reads": figures.reads,
        "contents_seen": figures.contents_seen,
    }
    return "crash", rows, _none_of(wrong), {**counts, **_told(wrong)}


def _faults(figures: faults.Figures) -> _Part:
    rows = [
        ("calls that failed", str(figures.faults)),
        ("killed at a call", str(figures.killed)),
        ("refused, nothing changed", str(figures.refused)),
        ("done all the same", str(figures.done_all_the_same)),
        ("half done, and ended at the next start", str(figures.half_done)),
        *((f"  {call}", str(count)) for call, count in figures.by_call.most_common()),
    ]
    wrong = {"wrong": figures.wrong}
    return "faults", rows, _none_of(wrong), {"calls": dict(figures.by_call), "killed": figures.killed, **_told(wrong)}


def _hashing(figures: hashing.Figures) -> _Part:
    stat_ms, hash_ms = ([each * 1e3 for each in some] for some in (figures.stat_s, figures.hash_s))
    rows = [
        ("first rounds, each file judged", f"{figures.first_s * 1e3:.0f} ms CPU"),
        ("stat round, p50 / p99", f"{percentile(stat_ms, 0.5):.2f} / {percentile(stat_ms, 0.99):.2f} ms CPU"),
        ("hash round, p50 / p99", f"{percentile(hash_ms, 0.5):.1f} / {percentile(hash_ms, 0.99):.1f} ms CPU"),
    ]
    # For other counts, so much for each file.
    share = figures.files / 1000
    bars = {
        "hash_round_p50_ms": Bar(percentile(hash_ms, 0.5), 50.0 * share),
        "stat_round_p50_ms": Bar(percentile(stat_ms, 0.5), 5.0 * share),
        "not_judged": Bar(figures.files - figures.judged, 0),
    }
    raw: dict[str, object] = {"first_ms": figures.first_s * 1e3, "stat_ms": stat_ms, "hash_ms": hash_ms}
    return "hashing", rows, bars, raw


def _roundtrip(figures: roundtrip.Figures) -> _Part:
    rows = [
        ("files / scalars in them", f"{figures.files} / {figures.keys}"),
        ("changed and changed back", str(figures.edits)),
        ("refused to edit", str(figures.refused)),
        ("came back in another notation", str(len(figures.written_anew))),
    ]
    wrong = {
        "not_identical": figures.not_identical,
        "changed_other_lines": figures.other_lines,
        "not_undone": figures.not_undone,
    }
    raw: dict[str, object] = {
        "files": figures.files,
        "keys": figures.keys,
        "edits": figures.edits,
        "refused": figures.refused,
        **_told({**wrong, "written_anew": figures.written_anew}),
    }
    return "roundtrip", rows, _none_of(wrong), raw


def _corruption(outcomes: Sequence[corruption.Outcome]) -> _Part:
    detected = [each.detected_s for each in outcomes]
    verified = [each.verified_s for each in outcomes]
    rows = [
        ("kinds of damage", str(len({each.kind for each in outcomes}))),
        ("noticed, p50 / most", f"{percentile(detected, 0.5):.1f} / {max(detected):.1f} s"),
        ("put back and verified, p50 / most", f"{percentile(verified, 0.5):.1f} / {max(verified):.1f} s"),
    ]
    bars = {
        "detected_max_s": Bar(max(detected), 10.0),
        "verified_max_s": Bar(max(verified), 30.0),
        "not_as_it_was": Bar(sum(not (each.is_same and each.reads_well) for each in outcomes), 0),
    }
    raw: dict[str, object] = {
        each.kind: {"detected_s": each.detected_s, "verified_s": each.verified_s} for each in outcomes
    }
    return "corruption", rows, bars, raw


def _none_of(wrong: Mapping[str, Sequence[str]]) -> dict[str, Bar]:
    return {name: Bar(len(found), 0) for name, found in wrong.items()}


def _told(wrong: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: found[:_MOST_TOLD] for name, found in wrong.items()}
