"""Numbers and legends as Grafana writes them."""

import math
import re
from collections.abc import Mapping, Sequence

from grafana.lib import Unit

#: How much one of each is, rising, and what stands behind the number.
Scale = Sequence[tuple[float, str]]

_PLAIN: Scale = ((1, ""),)
_METRIC: Scale = ((1, ""), (1e3, " K"), (1e6, " Mil"), (1e9, " Bil"))
_BINARY: Scale = ((1, " B"), (2**10, " KiB"), (2**20, " MiB"), (2**30, " GiB"), (2**40, " TiB"))
_TIME: Scale = (
    (1e-6, " µs"),
    (1e-3, " ms"),
    (1, " s"),
    (60, " min"),
    (3600, " hours"),
    (86400, " days"),
    (604800, " weeks"),
)
_SCALES: Mapping[Unit, Scale] = {
    Unit.NONE: _PLAIN,
    Unit.COUNT: _METRIC,
    Unit.BYTES: _BINARY,
    Unit.RATIO: ((0.01, "%"),),
    Unit.SECONDS: _TIME,
    Unit.BYTES_RATE: [(size, f"{name}/s") for size, name in _BINARY],
    Unit.COUNT_RATE: [(size, f"{name} /s") for size, name in _METRIC],
    Unit.PACKET_RATE: [(size, f"{name} p/s") for size, name in _METRIC],
    Unit.IO_RATE: [(size, f"{name} io/s") for size, name in _METRIC],
    Unit.AGO: _TIME,
}
_MS_PER_S = 1000


def number(value: float, unit: Unit, now: float = 0.0) -> str:
    """``now``: epoch seconds, for times."""
    if not math.isfinite(value):
        return str(value)
    if unit is Unit.AGO:
        ahead_s = value / _MS_PER_S - now
        words = _scaled(abs(ahead_s), unit)
        return f"in {words}" if ahead_s > 0 else f"{words} ago"
    return _scaled(value, unit)


def size_of(value: float, unit: Unit) -> float:
    """How much the unit is in which a number of this size is written: 2**20 for some MiB."""
    return next((size for size, _ in reversed(_SCALES[unit]) if abs(value) >= size), _SCALES[unit][0][0])


def legend(template: str, labels: Mapping[str, str]) -> str:
    """``{{label}}`` by its value; empty ones leave no space."""
    filled = re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)
    return " ".join(filled.split())


def _scaled(value: float, unit: Unit) -> str:
    if value == 0:
        return "0%" if unit is Unit.RATIO else f"0{'' if unit in (Unit.NONE, Unit.COUNT) else dict(_SCALES[unit])[1]}"
    size = size_of(value, unit)
    scaled = value / size
    digits = f"{scaled:.3g}" if abs(scaled) < 1000 else f"{scaled:.0f}"  # noqa: PLR2004 - digits that count
    return digits + dict(_SCALES[unit])[size]
