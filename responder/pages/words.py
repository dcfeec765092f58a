"""Texts of the page: times, durations, and words of others, made fit to be shown. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from responder.pages.view import Moment

_CUT = "..."
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86400
#: Until a unit has this many, the smaller one says more.
_FEW = 2


def shown(value: object, most: int = 300) -> str:
    """One line of at most ``most`` characters. What would turn, hide or break other text is replaced."""
    text = str(value)
    cut = text if len(text) <= most else text[: most - len(_CUT)] + _CUT
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cut)


def text_of(data: Mapping[str, object], key: str) -> str:
    """That value of a line of the ledger; empty when there is none."""
    return shown(data.get(key, ""))


def moment(epoch_s: float, now: float) -> Moment:
    at = datetime.fromtimestamp(epoch_s, UTC)
    return Moment(at.strftime("%Y-%m-%dT%H:%M:%SZ"), at.strftime("%Y-%m-%d %H:%M:%S UTC"), relative(epoch_s - now))


def relative(seconds: float) -> str:
    """``in 5 min``, ``3 h ago`` (script.js says the same)."""
    if seconds >= 1:
        return f"in {lasting(seconds)}"
    return "just now" if seconds > -1 else f"{lasting(-seconds)} ago"


def lasting(seconds: float) -> str:
    """``42 s``, ``3 min``, ``5 h``, ``2 d``: rounded down, so that nothing is said to be older than it is."""
    for unit_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= _FEW * unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds)} s"


def took(seconds: float) -> str:
    """How long something lasted: exact where that matters."""
    return f"{seconds:.1f} s" if seconds < _MINUTE_S else lasting(seconds)


def many(count: int, one: str, more: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {one if count == 1 else more}"
