"""Panels and expressions of which dashboards have many. ``runbooks`` are names of alerts that a panel explains."""

from collections.abc import Sequence

from grafana.lib import Color, Link, Panel, Query, Stat, State, StateTimeline, Thresholds, TimeSeries, Unit, runbook
from grafana.lib.thresholds import PLAIN

HALF = 12


def number(
    title: str,
    description: str,
    expr: str,
    *,
    empty: str,
    unit: Unit = Unit.COUNT,
    thresholds: Thresholds = PLAIN,
    runbooks: Sequence[str] = (),
) -> Panel:
    """One of six in a row."""
    view = Stat(Query(expr), empty, thresholds)
    return Panel(title, description, unit, view, width=4, height=4, links=links(runbooks))


def lines(
    title: str,
    description: str,
    unit: Unit,
    *queries: Query,
    thresholds: Thresholds | None = None,
    width: int = HALF,
    runbooks: Sequence[str] = (),
) -> Panel:
    view = TimeSeries(queries, thresholds=thresholds)
    return Panel(title, description, unit, view, width=width, links=links(runbooks))


def areas(title: str, description: str, unit: Unit, *queries: Query) -> Panel:
    """Parts of a whole."""
    return Panel(title, description, unit, TimeSeries(queries, is_stacked=True))


def bars(
    title: str,
    description: str,
    *queries: Query,
    width: int = HALF,
    runbooks: Sequence[str] = (),
    colors: Sequence[tuple[str, Color]] = (),
) -> Panel:
    """How often something happened."""
    view = TimeSeries(queries, has_bars=True, colors=tuple(colors))
    return Panel(title, description, Unit.COUNT, view, width=width, links=links(runbooks))


def timeline(
    title: str,
    description: str,
    states: Sequence[State],
    *queries: Query,
    width: int = HALF,
    runbooks: Sequence[str] = (),
) -> Panel:
    view = StateTimeline(queries, tuple(states))
    return Panel(title, description, Unit.NONE, view, width=width, links=links(runbooks))


def links(runbooks: Sequence[str]) -> tuple[Link, ...]:
    return tuple(map(runbook, runbooks))


def increase(metric: str, by: str, where: str = "") -> str:
    """Of counters that several exporters may show: the one that saw most. ``> 0`` leaves out what did not happen."""
    return f"max by ({by}) (increase({metric}{_braces(where)}[$__rate_interval])) > 0"


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Per second, summed up."""
    of = f" by ({by})" if by else ""
    return f"sum{of} (rate({metric}{_braces(where)}[$__rate_interval]))"


def gauge(metric: str, by: str = "", where: str = "") -> str:
    """However many exporters see it."""
    of = f" by ({by})" if by else ""
    return f"max{of} ({metric}{_braces(where)})"


def in_range(metric: str, where: str = "") -> str:
    """How often in the time that is shown. ``increase`` reckons to the edges, and makes 2.1 of 2."""
    return f"round(sum(increase({metric}{_braces(where)}[$__range])))"


def or_zero(expr: str, measured: str) -> str:
    """``expr``, and 0 where it has nothing while ``measured`` has something."""
    return f"{expr} or count({measured}) * 0"


def _braces(where: str) -> str:
    return f"{{{where}}}" if where else ""
