"""Figures against what is promised of them."""

import subprocess
from collections.abc import Sequence
from statistics import median

from rich.table import Table

from benchmarks.alerting import evaluation, storms
from benchmarks.report import Bar, conclude

#: Of each round of the quickest groups, all rules may take so much; and so much one round of any group.
_ROUND_S, _ROUND_MS = 2.0, 100.0
_PROMISED_FOR = 300


def report(rules: evaluation.Figures | None, incidents: Sequence[storms.Figures], *, as_json: bool) -> None:
    """Print, and exit 1 when a bar is not met."""
    table = Table("what", "figure")
    bars: dict[str, Bar] = {}
    details: dict[str, object] = {"versions": {name: _version(name) for name in ("prometheus", "alertmanager")}}
    if rules:
        _rules(rules, table, bars, details)
    for figures in incidents:
        told = [f"{len(names)} {'/'.join(sorted(set(names)))}" for names in figures.messages]
        text = f"{figures.alerts} alerts, {len(told)} messages ({', '.join(told)}); {figures.by_workload} by workload"
        table.add_row(figures.incident, text)
        bars[f"messages: {figures.incident}"] = Bar(len(figures.messages), figures.limit)
        details[figures.incident] = {"alerts": figures.alerts, "messages": told, "by_workload": figures.by_workload}
    conclude(table, bars, details, as_json=as_json)


def _version(program: str) -> str:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return (told.stdout or told.stderr).splitlines()[0]


def _rules(figures: evaluation.Figures, table: Table, bars: dict[str, Bar], details: dict[str, object]) -> None:
    share = figures.containers / _PROMISED_FOR
    table.add_row("rules, series", f"{figures.rules}, {figures.series:.0f} of {figures.containers} containers")
    for name, values in sorted(figures.seconds.items(), key=lambda item: -median(item[1])):
        text = f"{median(values) * 1e3:.1f} / {max(values) * 1e3:.1f} ms of {len(values)} evaluations"
        table.add_row(f"group {name}, median / most", text)
    table.add_row("all groups once, should they fall together", f"{figures.together_s() * 1e3:.0f} ms")
    bars["rules_per_2s_round_ms"] = Bar(figures.per_round_s(_ROUND_S) * 1e3, _ROUND_MS * share)
    bars["slowest_group_round_ms"] = Bar(figures.slowest_s() * 1e3, _ROUND_MS * share)
    bars["rules_firing_though_all_is_well"] = Bar(len(set(figures.firing) - {"HomeostatDeadMan"}), 0)
    details["rules"] = {
        "containers": figures.containers,
        "series": figures.series,
        "repetitions": {name: len(each) for name, each in figures.seconds.items()},
        "firing": figures.firing,
        "together_ms": round(figures.together_s() * 1e3, 1),
        "group_ms": {name: [round(value * 1e3, 2) for value in each] for name, each in figures.seconds.items()},
    }
