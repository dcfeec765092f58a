"""Figures against what is promised of them."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.leaks.bootstrap import Interval, intervals
from benchmarks.leaks.contenders import OURS
from benchmarks.leaks.cost import SERIES, Cost
from benchmarks.leaks.run import Result
from benchmarks.leaks.score import Figures, Outcome, by_family, figures
from benchmarks.report import Bar, conclude

_WIDTH = 140

#: Heading, figure, digits.
_COLUMNS = (
    ("precision", "precision", 3),
    ("recall", "recall", 3),
    ("fast recall", "fast_recall", 3),
    ("lead", "lead", 2),
    ("false / week", "false_alarms_per_week", 3),
    ("ETA error", "eta_error", 2),
    ("wrong ETAs", "wrong_etas", 2),
    ("us / eval.", "us_per_evaluation", 1),
)
_BASE_RATES = (
    ("precision when 1 % leak", "precision_at_1", 3),
    ("5 %", "precision_at_5", 3),
    ("40 %", "precision_at_40", 3),
    ("healthy with alarms", "false_positive_rate", 3),
)


@dataclass(frozen=True, slots=True)
class Row:
    """All of one contender. ``us_per_evaluation``: CPU for its trace, samples included, by evaluations."""

    outcomes: Sequence[Outcome]
    figures: Figures
    intervals: Mapping[str, Interval]
    us_per_evaluation: float


def report(results: Sequence[Result], cost: Cost | None, plan: Mapping[str, object], *, as_json: bool) -> None:
    """Print, and exit 1 when a bar is not met. Bars are for ours only; ``cost``: None when it was not measured."""
    rows = {name: row(each) for name, each in _by_contender(results).items()}
    bars = (_bars(rows[OURS].figures) if OURS in rows else {}) | (_cost_bars(cost) if cost else {})
    details = {"plan": plan, "contenders": {name: _told(each) for name, each in rows.items()}}
    if cost:
        details["cost"] = asdict(cost)
    console = Console()
    # Where nobody looks at it as it comes, lines may be as long as they need.
    wide = console if console.is_terminal else Console(width=_WIDTH)
    first = next(iter(rows))
    wide.print(_families(first, rows[first]))
    wide.print(_contenders(rows, _BASE_RATES))
    wide.print(_contenders(rows, _COLUMNS))
    conclude(_rest(rows, cost), bars, details, as_json=as_json)


def _by_contender(results: Sequence[Result]) -> Mapping[str, list[Result]]:
    found = defaultdict(list)
    for each in results:
        found[each.contender].append(each)
    return found


def row(results: Sequence[Result]) -> Row:
    outcomes = [each.outcome for each in results]
    cpu_s = sum(each.cpu_s for each in results)
    us = cpu_s / sum(each.evaluations for each in results) * 1e6
    return Row(outcomes, figures(outcomes), intervals(outcomes), us)


def _bars(ours: Figures) -> dict[str, Bar]:
    bars = {
        "false_share_of_alarms": Bar(1 - ours.precision, 0.03),
        "missed_leaks": Bar(1 - ours.recall, 0.05),
        "missed_fast_leaks": Bar(1 - ours.fast_recall, 0.1),
        "lead_used_up": Bar(1 - ours.lead, 0.5),
        "false_alarms_per_series_week": Bar(ours.false_alarms_per_week, 0.01),
        "eta_error_log2": Bar(ours.eta_error, 0.3),
    }
    # A run of some families only may have no leaks, or no healthy traces.
    return {name: bar for name, bar in bars.items() if not math.isnan(bar.value)}


def _cost_bars(cost: Cost) -> dict[str, Bar]:
    return {
        "evaluation_p99_us": Bar(cost.evaluation_us[1], 1000.0),
        f"core_share_of_{SERIES}_series": Bar(cost.cores, 0.01),
        "bytes_per_series": Bar(cost.bytes_by_size, 4096.0),
    }


def _contenders(rows: Mapping[str, Row], columns: Sequence[tuple[str, str, int]]) -> Table:
    table = Table("contender", *(heading for heading, _, _ in columns))
    for name, each in rows.items():
        values = asdict(each.figures) | {"us_per_evaluation": each.us_per_evaluation}
        cells = [_cell(values[key], each.intervals.get(key), digits) for _, key, digits in columns]
        table.add_row(name, *cells)
    return table


def _cell(value: float, ends: Interval | None, digits: int) -> str:
    if math.isnan(value):
        return "-"
    if ends is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f}\n[dim]{ends[0]:.{digits}f}-{ends[1]:.{digits}f}"


def _families(name: str, whole: Row) -> Table:
    """Of the first contender, which is ours unless it was left out."""
    table = Table(f"family ({name})", "traces", "found", "lead", "ETA error", "with false alarms", "false alarms")
    for family, outcomes in by_family(whole.outcomes).items():
        own = figures(outcomes)
        table.add_row(
            family,
            str(len(outcomes)),
            _plain(own.recall),
            _plain(own.lead),
            _plain(own.eta_error),
            str(sum(each.false_alarms > 0 for each in outcomes)),
            str(sum(each.false_alarms for each in outcomes)),
        )
    return table


def _rest(rows: Mapping[str, Row], cost: Cost | None) -> Table:
    """What was looked at, and what it costs."""
    outcomes = next(iter(rows.values())).outcomes
    table = Table("what", "figure")
    table.add_row("traces, of them leaking", f"{len(outcomes)}, {sum(each.is_leaking for each in outcomes)}")
    table.add_row("weeks of healthy series", f"{_healthy_weeks(outcomes):.0f}")
    if cost:
        p50, p99 = cost.evaluation_us
        table.add_row("an evaluation of the hardest, p50 / p99", f"{p50:.0f} / {p99:.0f} us")
        table.add_row(f"{SERIES} series, of one core", f"{cost.cores:.3%}")
        table.add_row("a series, counted / allocated", f"{cost.bytes_by_size} / {cost.bytes_by_allocation} bytes")
    return table


def _healthy_weeks(outcomes: Sequence[Outcome]) -> float:
    return sum(each.weeks for each in outcomes if not each.is_leaking)


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _told(each: Row) -> dict[str, object]:
    outcomes = each.outcomes
    return {
        "figures": {name: _known(value) for name, value in asdict(each.figures).items()},
        "intervals_95": {name: [_known(end) for end in ends] for name, ends in each.intervals.items()},
        "us_per_evaluation": each.us_per_evaluation,
        "traces": len(outcomes),
        "leaking": sum(outcome.is_leaking for outcome in outcomes),
        "healthy_series_weeks": _healthy_weeks(outcomes),
        "false_alarms": sum(outcome.false_alarms for outcome in outcomes),
        "etas_wrong_of_judged": [
            sum(outcome.wrong_etas for outcome in outcomes),
            sum(outcome.judged_etas for outcome in outcomes),
        ],
        "families": {family: _told_family(own) for family, own in by_family(outcomes).items()},
    }


def _told_family(own: Sequence[Outcome]) -> dict[str, object]:
    return {
        "traces": len(own),
        "found": sum(each.is_found for each in own),
        "with_false_alarms": sum(each.false_alarms > 0 for each in own),
        "median_lead": _known(figures(own).lead),
    }


def _known(value: float) -> float | None:
    """JSON has no word for what is not a number."""
    return None if math.isnan(value) else value
