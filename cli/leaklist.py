"""Series as the running exporter judges them: which to list, in which order, and how."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli import leakwords
from cli.exporter_api import Series
from cli.leakwords import Unit
from exporters.leaks.assessment import Assessment, Verdict

#: Worst first.
_ORDER = tuple(reversed(Verdict))
#: Counted only, unless all are asked for.
_QUIET = (Verdict.HEALTHY, Verdict.INSUFFICIENT_DATA)


def unit_of(resource: str) -> Unit:
    """Memory is in bytes, all else is counted."""
    return Unit.BYTES if resource == "memory" else Unit.COUNT


def worst_first(series: Iterable[Series]) -> list[Series]:
    """Of the same verdict, what is exhausted first comes first."""
    return sorted(series, key=_rank)


def _rank(one: Series) -> tuple[int, float, str, str, str]:
    exhaustion = one.assessment.exhaustion
    soon = float("inf") if exhaustion is None else exhaustion
    return (_ORDER.index(one.assessment.verdict), soon, one.workload, one.container, one.resource)


def listed(series: Sequence[Series], *, with_all: bool) -> list[Series]:
    return [one for one in series if with_all or one.assessment.verdict not in _QUIET]


def as_line(one: Series) -> str:
    """A line of JSON Lines, by the names that GET /leaks has."""
    of_series = {
        "workload": one.workload,
        "container": one.container,
        "resource": one.resource,
        "value": one.value,
        "bound": one.bound,
        "last_sample": one.last_sample,
    }
    return json.dumps(of_series | leakwords.as_json(one.assessment))


def table(series: Iterable[Series], now: float) -> Table:
    result = leakwords.table(
        "verdict", "workload", "resource", "value of limit", "slope (90 %)", "exhausted", "reasons"
    )
    for one in series:
        said, unit = one.assessment, unit_of(one.resource)
        result.add_row(
            leakwords.styled(said.verdict),
            escape(f"{one.workload}\n{one.container}".strip()),
            escape(one.resource),
            escape(f"{value(one)} of {limit(one)}"),
            leakwords.slope_per_hour(said, unit),
            leakwords.until(said.exhaustion, now),
            escape(", ".join(said.reasons)) or "-",
        )
    return result


def name_of(one: Series) -> str:
    """``shop/web shop-web-1 memory``; a process has no container."""
    return " ".join(name for name in (one.workload, one.container, one.resource) if name)


def value(one: Series) -> str:
    return "-" if one.value is None else leakwords.quantity(one.value, unit_of(one.resource))


def limit(one: Series) -> str:
    """``512 MiB (cgroup)``."""
    if one.assessment.limit is None:
        return "-"
    text = leakwords.quantity(one.assessment.limit, unit_of(one.resource))
    return f"{text} ({one.bound})" if one.bound else text


def last_line(series: Sequence[Series], shown: Sequence[Series]) -> str:
    """How many there are, and how to have those that are not ``shown``."""
    if len(shown) == len(series):
        return f"{len(series)} series" if series else "no series is watched yet"
    counts = Counter(one.assessment.verdict for one in series)
    healthy, young = counts[Verdict.HEALTHY], counts[Verdict.INSUFFICIENT_DATA]
    return f"not listed: {healthy} healthy, {young} with too little data; --all lists them"


def headline(one: Series, now: float, to: Console) -> None:
    """What is known of one series, in lines."""
    said, unit = one.assessment, unit_of(one.resource)
    lines = (
        ("value", value(one)),
        ("limit", limit(one)),
        ("slope", leakwords.slope_per_hour(said, unit)),
        ("grows since (UTC)", leakwords.moment(said.onset)),
        ("exhausted (UTC)", _when(said, now)),
        ("confidence", f"{said.confidence:.0%}"),
        ("reasons", ", ".join(said.reasons) or "-"),
        ("last sample (UTC)", leakwords.moment(one.last_sample)),
    )
    to.print(f"{escape(name_of(one))}: {leakwords.styled(said.verdict)}")
    for name, text in lines:
        to.print(f"  {name:<18} {text}", markup=False, soft_wrap=True)


def _when(said: Assessment, now: float) -> str:
    cautious = said.exhaustion_cautious
    soonest = "" if cautious is None else f", at the earliest {leakwords.moment(cautious)}"
    return leakwords.exhausted(said, now) + soonest


def known(series: Sequence[Series], workload: str) -> str:
    """What there is, for those who named something else: resources of this workload, or all workloads."""
    names = {name_of(one) for one in series if one.workload == workload}
    return ", ".join(sorted(names or {one.workload for one in series})) or "none yet"
