"""The windows of homeostat.yml in Alertmanager's routes: people are not called about these workloads then.

The responder is told all the same: it refuses by itself, and its ledger says so. Needs Alertmanager 0.24 (`location`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from homeostat import names
from homeostat.maintenance import means
from homeostat.sections import MaintenanceWindow
from homeostat.workloadregex import NOT_ANY, as_regex, means_any

_RESPONDER = "responder"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MIDNIGHT, _END_OF_DAY = "00:00", "24:00"
#: What Alertmanager takes from a route itself only, never from the one above it.
_NOT_INHERITED = ("active_time_intervals", "mute_time_intervals")


def mute_windows(config: dict[str, Any], windows: Sequence[MaintenanceWindow]) -> None:
    """Change ``config``, an Alertmanager's, in place.

    Below every route to people come routes that differ in nothing but in what they mute. An alert that so far only
    routes with ``continue`` had taken is told once more by the route above them; none that is shipped is such an alert.
    """
    if not windows:
        return
    added = [_interval(_name(number), window) for number, window in enumerate(windows, 1)]
    config["time_intervals"] = [*(config.get("time_intervals") or ()), *added]
    _add_routes(config["route"], config["route"]["receiver"], _muted(windows))


def _add_routes(route: dict[str, Any], inherited: str, muted: Mapping[str, Sequence[str]]) -> None:
    receiver = route.get("receiver", inherited)
    below = list(route.get("routes") or ())
    for child in below:
        _add_routes(child, receiver, muted)
    if receiver != _RESPONDER:
        route["routes"] = below + [_mute_route(route, regex, intervals) for regex, intervals in muted.items()]


def _mute_route(above: Mapping[str, Any], regex: str, intervals: Sequence[str]) -> dict[str, Any]:
    own = {key: list(above[key]) for key in _NOT_INHERITED if key in above}
    mutes = [*own.get("mute_time_intervals", ()), *intervals]
    but = [f'{names.WORKLOAD}!~"{NOT_ANY}"'] if means_any(regex) else []
    return {"matchers": [f'{names.WORKLOAD}=~"{regex}"', *but], **own, "mute_time_intervals": mutes}


def _muted(windows: Sequence[MaintenanceWindow]) -> dict[str, list[str]]:
    """Regular expression of workloads -> names of the intervals for them. The first that fits is the right one: what
    is named more exactly comes first, and has the intervals of what is named less exactly, too.
    """
    patterns = dict.fromkeys(pattern for window in windows for pattern in window.workloads)
    alike: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for pattern in sorted(patterns, key=_rank):
        intervals = tuple(_name(number) for number, window in enumerate(windows, 1) if _is_meant(window, pattern))
        alike.setdefault((_rank(pattern), intervals), []).append(pattern)
    return {as_regex(group): list(intervals) for (_, intervals), group in alike.items()}


def _rank(pattern: str) -> int:
    return 2 if pattern == "*" else int(pattern.endswith("/*"))


def _is_meant(window: MaintenanceWindow, pattern: str) -> bool:
    return any(means(each, pattern) for each in window.workloads)


def _name(number: int) -> str:
    return f"homeostat-maintenance-{number}"


def _interval(name: str, window: MaintenanceWindow) -> dict[str, Any]:
    """Alertmanager's days end at midnight: a window past it is two."""
    if window.start < window.end:
        parts = [_part(window, window.start, window.end, 0)]
    else:
        parts = [_part(window, window.start, _END_OF_DAY, 0)]
        if window.end != _MIDNIGHT:
            parts.append(_part(window, _MIDNIGHT, window.end, 1))
    return {"name": name, "time_intervals": parts}


def _part(window: MaintenanceWindow, start: str, end: str, days_later: int) -> dict[str, Any]:
    part: dict[str, Any] = {"times": [{"start_time": start, "end_time": end}], "location": window.timezone}
    if window.weekdays:
        part["weekdays"] = [_DAYS[(_number(day) + days_later) % len(_DAYS)] for day in window.weekdays]
    return part


def _number(day: str) -> int:
    return next(number for number, name in enumerate(_DAYS) if name.startswith(day))
