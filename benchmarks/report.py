"""The common end of all benchmarks: table, JSON with bars, exit code."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """One promised figure: ``value`` must not be above ``limit``."""

    value: float
    limit: float

    @property
    def ok(self) -> bool:
        return self.value <= self.limit


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: with few values p95 is the largest, never an interpolation below it."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * round(share * 100) // 100) - 1))]


def machine() -> dict[str, object]:
    """Enough to judge a figure by."""
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "homeostat": metadata.version("homeostat"),
    }


def conclude(table: Table, bars: Mapping[str, Bar], details: Mapping[str, object], *, as_json: bool) -> None:
    """Print and exit: 0 when every bar is met, else 1."""
    console = Console()
    console.print(table)
    verdicts = Table("bar", "value", "limit", "met")
    for name, bar in bars.items():
        verdicts.add_row(name, f"{bar.value:.2f}", f"{bar.limit:g}", "[green]yes" if bar.ok else "[red]no")
    console.print(verdicts)
    if as_json:
        shown = {name: {"value": bar.value, "limit": bar.limit, "ok": bar.ok} for name, bar in bars.items()}
        print(json.dumps({"bars": shown, "machine": machine(), **details}))
    sys.exit(0 if all(bar.ok for bar in bars.values()) else 1)
