"""A detector as plain data that can be written down and read again. What is read is trusted in nothing.

It follows what detectors are made of, field by field: a field that is new is stored too, and what was stored of
others is refused.
"""

import binascii
import functools
import math
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin

from exporters.leaks import reasons
from exporters.leaks.detector import Detector
from exporters.leaks.growth import Growth
from exporters.leaks.looks import LOOKS
from exporters.leaks.parameters import PEAKS, POINTS
from exporters.leaks.scales import Scale, Scales
from exporters.leaks.watch import Watch

#: Of what is written. Raise it when the same fields come to mean something else.
VERSION = 1

#: Far beyond all that is measured, and far enough from what ends in infinity when it is multiplied.
_MOST = 1e100
#: Far beyond every clock: the year 33,000.
_MOST_S = 1e12
_MOST_ENTRIES = 64
_FLOAT_BYTES = 4
#: All texts that a detector has.
_WORDS = frozenset({""} | {word for name, word in vars(reasons).items() if name.isupper()})
#: What neither an annotation nor what a new one holds can tell.
_KINDS: Mapping[tuple[type, str], Any] = {
    (Detector, "best"): Growth | None,
    (Watch, "growth"): Growth | None,
    (Watch, "since"): float | None,
    (Watch, "suspect_since"): float | None,
    (Scales, "all"): tuple[Scale, ...],
    (Scale, "floors"): array,
    (Scales, "peaks"): array,
}
#: Of a bucket that is not open. JSON has no infinity.
_ENDLESS: Mapping[tuple[type, str], float] = {(Scale, "low"): math.inf, (Scale, "high"): -math.inf}


def dump(detector: Detector) -> dict[str, object]:
    """All of it, as JSON can hold it: 3 to 4 KB."""
    return {name: _plain(getattr(detector, name)) for name in _kinds(Detector)}


def load(raw: object) -> Detector:
    """The detector that :func:`dump` was given. Raises ValueError, which says what is wrong."""
    detector: Detector = _object(raw, Detector)
    _check(detector, Detector())
    return detector


@functools.cache  # of six classes
def _kinds(owner: type) -> dict[str, Any]:
    """The type of each field of a class."""
    if is_dataclass(owner):
        found: dict[str, Any] = {field.name: field.type for field in fields(owner)}
    else:
        new = owner()
        found = {name: type(getattr(new, name)) for name in owner.__slots__}  # type: ignore[attr-defined]  # each has them
    return found | {name: kind for (of, name), kind in _KINDS.items() if of is owner}


# --- Writing


def _plain(value: Any) -> object:
    match value:
        case array():
            return _packed(value)
        case Growth() if not _is_sound(value):  # it says nothing
            return None
        case float() if math.isinf(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return {name: _plain(getattr(value, name)) for name in _kinds(value.__class__)}


def _packed(numbers: "array[float]") -> str:
    """Base64 of little-endian float32."""
    ordered = array("f", numbers)
    if sys.byteorder == "big":
        ordered.byteswap()
    return b64encode(ordered.tobytes()).decode()


# --- Reading


def _read(raw: object, kind: Any) -> Any:
    """A value of type ``kind``. Raises ValueError."""
    origin, parameters = get_origin(kind) or kind, get_args(kind)
    if NoneType in parameters:
        return None if raw is None else _read(raw, parameters[0])
    if origin in (list, tuple):
        if not isinstance(raw, list) or len(raw) > _MOST_ENTRIES:
            raise ValueError(f"no list of at most {_MOST_ENTRIES} entries")
        return origin(_read(each, parameters[0]) for each in raw)
    if origin is array:
        return _unpacked(raw)
    if issubclass(origin, bool | int | float | str):
        return _scalar(raw, origin)
    return _object(raw, origin)


def _object(raw: object, owner: type) -> Any:
    kinds = _kinds(owner)
    if not isinstance(raw, dict) or raw.keys() != kinds.keys():
        raise ValueError(f"{owner.__name__} does not have the fields {', '.join(kinds)}")
    values: dict[str, object] = {}
    for name, kind in kinds.items():
        try:
            is_endless = raw[name] is None and (owner, name) in _ENDLESS
            values[name] = _ENDLESS[owner, name] if is_endless else _read(raw[name], kind)
        except ValueError as err:
            raise ValueError(f"{name}: {err}") from None
    if is_dataclass(owner):
        return owner(**values)
    made = owner()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _scalar(raw: object, kind: type) -> object:
    if kind is float and type(raw) in (int, float) and -_MOST <= raw <= _MOST:  # type: ignore[operator]  # also not NaN
        return float(raw)  # type: ignore[arg-type]  # as above
    if kind is int and type(raw) is int and -1 <= raw <= _MOST_S:
        return raw
    if kind is bool and isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and issubclass(kind, StrEnum) and raw in list(kind):
        return kind(raw)
    if kind is str and isinstance(raw, str) and raw in _WORDS:
        return raw
    raise ValueError(f"{raw!s:.40} is no {kind.__name__} that can be")


def _unpacked(raw: object) -> "array[float]":
    numbers = array("f")
    longest = -(-_FLOAT_BYTES * POINTS // 3) * 4
    try:
        if not isinstance(raw, str) or len(raw) > longest:
            raise ValueError  # noqa: TRY301 - told below, as all that is wrong with it
        numbers.frombytes(b64decode(raw, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"no base64 of at most {POINTS} float32 numbers") from None
    if sys.byteorder == "big":
        numbers.byteswap()
    if not all(number >= 0 for number in numbers):  # also not NaN
        raise ValueError("a number is below 0, or none")
    return numbers


def _check(detector: Detector, new: Detector) -> None:
    """What fields have to agree on, and what later arithmetic rests on. Raises ValueError."""
    scales, expected = detector.scales.all, new.scales.all
    if [scale.width_s for scale in scales] != [scale.width_s for scale in expected]:
        raise ValueError("its scales are others")
    _check_scales(detector.scales)
    if not 0 <= detector.closed <= len(scales) or not -1 <= detector.best_of < len(LOOKS):
        raise ValueError("it looks at other things")
    watch, life = detector.watch, detector.life
    if not all(_is_sound(growth) for growth in (detector.best, watch.growth) if growth is not None):
        raise ValueError("a growth does not grow")
    if watch.verdict.is_alarm and watch.growth is None:
        raise ValueError("an alarm rests on nothing")
    if life.value < 0 or life.load.known_s < 0 or (life.limit is not None and life.limit <= 0):
        raise ValueError("a value is below 0, or a limit not above it")
    times = (detector.clock, detector.offset, life.started, life.known, life.told or 0.0, watch.seen_at)
    if not all(0 <= time <= _MOST_S for time in times):
        raise ValueError("a time is past every calendar")


def _check_scales(scales: Scales) -> None:
    for scale in scales.all:
        _check_scale(scale)
    if len(scales.peaks) > PEAKS or math.inf in scales.peaks:
        raise ValueError("peaks are more than there can be, or endless")


def _check_scale(scale: Scale) -> None:
    if len(scale.floors) > POINTS:
        raise ValueError("floors are more than there can be")
    if scale.bucket >= 0 and not 0 <= scale.low <= scale.high:
        raise ValueError("an open bucket has no values, or not in order")
    if scale.bucket < 0 and (scale.floors or scale.low <= scale.high):
        raise ValueError("there are values without a bucket")


def _is_sound(growth: Growth) -> bool:
    """Whether a forecast can be made of it."""
    slope = growth.slope
    numbers = (growth.length_s, growth.need, slope.median, slope.high, slope.low, growth.trust, growth.begins)
    return (
        all(-_MOST <= number <= _MOST for number in numbers)
        and growth.length_s > 0
        and slope.high > 0
        and 0 <= growth.p_value <= 1
    )
