"""What a detector says, in words and numbers for people, and as JSON for programs."""

import math
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from rich.table import Column, Table

from exporters.leaks.assessment import Assessment, Verdict
from homeostat.clock import rfc3339

_SIZES = ((" GiB", 2**30), (" MiB", 2**20), (" KiB", 2**10))
_BIG = 1000.0
#: From here on digits say nothing.
_HUGE = 1e9
_HOUR_S = 3600.0
#: A unit is used from twice itself on: 90 min says more than 1.5 h.
_LASTING = (("d", 86400.0), ("h", _HOUR_S), ("min", 60.0))

STYLES = {
    Verdict.EXHAUSTING: "bold red",
    Verdict.LEAK: "red",
    Verdict.SUSPECT: "yellow",
    Verdict.WARMING: "cyan",
    Verdict.HEALTHY: "green",
    Verdict.INSUFFICIENT_DATA: "dim",
}


class Unit(StrEnum):
    BYTES = "bytes"
    COUNT = "count"


def quantity(amount: float, unit: Unit) -> str:
    """``1.5 GiB``, ``640 B``, ``12.5``."""
    name, size = _scale(amount, unit)
    return f"{_digits(amount / size)}{name}"


def _scale(amount: float, unit: Unit) -> tuple[str, int]:
    """The unit in which to write this amount, and how much it is."""
    if unit is Unit.COUNT:
        return "", 1
    return next(((name, size) for name, size in _SIZES if abs(amount) >= size), (" B", 1))


def _digits(amount: float) -> str:
    if abs(amount) >= _HUGE or 0.0 < abs(amount) < 1.0:
        return f"{amount:.3g}"
    return f"{amount:.0f}" if abs(amount) >= _BIG or amount.is_integer() else f"{amount:.1f}"


def slope_per_hour(said: Assessment, unit: Unit) -> str:
    """``4.0 MiB/h (3.8 to 4.2)``; ``-`` when nothing grows."""
    slope, low, high = (each * _HOUR_S for each in (said.slope, said.slope_low, said.slope_high))
    if slope == low == high == 0.0:
        return "-"
    name, size = _scale(slope, unit)
    return f"{_digits(slope / size)}{name}/h ({_digits(low / size)} to {_digits(high / size)})"


def lasting(seconds: float) -> str:
    """``45 s``, ``90 min``, ``30 h``, ``12 d``."""
    for name, size in _LASTING:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"


def moment(epoch_s: float | None) -> str:
    """``2026-11-23 12:00:04`` in UTC; ``-`` for none, and for what no calendar has."""
    if epoch_s is None:
        return "-"
    try:
        return rfc3339(epoch_s)[:19].replace("T", " ")
    except (ValueError, OverflowError, OSError):
        return "-"


def until(epoch_s: float | None, now: float) -> str:
    """``in 30 h``, ``now`` when it is over, ``-`` for none."""
    if epoch_s is None or not math.isfinite(epoch_s):
        return "-"
    return f"in {lasting(epoch_s - now)}" if epoch_s > now else "now"


def exhausted(said: Assessment, now: float) -> str:
    """``2026-11-23 12:00:04 (in 30 h)``, ``-`` for never."""
    return "-" if said.exhaustion is None else f"{moment(said.exhaustion)} ({until(said.exhaustion, now)})"


def table(*columns: str, title: str | None = None) -> Table:
    """Nothing is cut off in it, however narrow the screen is: reasons are for reading."""
    return Table(*(Column(name, overflow="fold") for name in columns), title=title)


def styled(verdict: Verdict) -> str:
    """In rich's markup."""
    return f"[{STYLES[verdict]}]{verdict}"


def as_json(said: Assessment) -> dict[str, Any]:
    """All of it, by the names of its fields. JSON has no infinity: that is null."""
    return {name: None if _is_infinite(value) else value for name, value in asdict(said).items()}


def _is_infinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
