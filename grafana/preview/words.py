"""Numbers and legends as Grafana writes them."""

import math
import re
from collections.abc import Mapping
from typing import assert_never

from grafana.lib import Unit

_METRIC = ("", " K", " Mil", " Bil", " Tri")
_BINARY = (" B", " KiB", " MiB", " GiB", " TiB", " PiB")
#: Seconds of each unit, the largest first.
_TIMES = ((604800, "weeks"), (86400, "days"), (3600, "hours"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))
_MS_PER_S = 1000


def number(value: float, unit: Unit, now: float = 0.0) -> str:
    """``now``: epoch seconds, for times."""
    if not math.isfinite(value):
        return str(value)
    match unit:
        case Unit.NONE:
            return _short(value)
        case Unit.COUNT:
            return _scaled(value, 1000, _METRIC)
        case Unit.BYTES:
            return _scaled(value, 1024, _BINARY)
        case Unit.BYTES_RATE:
            return f"{_scaled(value, 1024, _BINARY)}/s"
        case Unit.RATIO:
            return f"{_short(value * 100)}%"
        case Unit.SECONDS:
            return _duration(value)
        case Unit.AGO:
            return _ago(value / _MS_PER_S - now)
        case Unit.COUNT_RATE | Unit.PACKET_RATE | Unit.IO_RATE:
            what = {Unit.COUNT_RATE: "c/s", Unit.PACKET_RATE: "p/s", Unit.IO_RATE: "io/s"}[unit]
            return f"{_scaled(value, 1000, _METRIC)} {what}"
        case _ as other:
            assert_never(other)


def legend(template: str, labels: Mapping[str, str]) -> str:
    """``{{label}}`` by its value; empty ones leave no space."""
    filled = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)
    return " ".join(filled.split())


def _short(value: float) -> str:
    """Three digits that count."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"  # noqa: PLR2004 - digits


def _scaled(value: float, base: int, names: tuple[str, ...]) -> str:
    level = 0
    while abs(value) >= base and level < len(names) - 1:
        value, level = value / base, level + 1
    return f"{_short(value)}{names[level]}"


def _duration(seconds: float) -> str:
    for size, name in _TIMES:
        if abs(seconds) >= size:
            return f"{_short(seconds / size)} {name}"
    return "0 s"


def _ago(seconds: float) -> str:
    words = _duration(abs(seconds))
    return f"in {words}" if seconds > 0 else f"{words} ago"
