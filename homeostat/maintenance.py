"""Times at which nothing is done, and which workloads a pattern means. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from homeostat.sections import MaintenanceWindow

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def means(pattern: str, workload: str) -> bool:
    """``PROJECT/SERVICE``, ``PROJECT/*`` or ``*``; anything else means nothing."""
    if pattern == "*":
        return True
    if pattern.endswith("/*"):
        return workload.partition("/")[0] == pattern.removesuffix("/*")
    return pattern == workload


def current(windows: Iterable[MaintenanceWindow], workload: str, now: float) -> MaintenanceWindow | None:
    """The window that the workload is in now (epoch seconds); None when it is in none."""
    return next((window for window in windows if _covers(window, workload, now)), None)


def _covers(window: MaintenanceWindow, workload: str, now: float) -> bool:
    if not any(means(pattern, workload) for pattern in window.workloads):
        return False
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(window.timezone))
    time = local.strftime("%H:%M")
    if window.start < window.end:
        return window.start <= time < window.end and _starts_on(window, local)
    if time >= window.start:
        return _starts_on(window, local)
    return time < window.end and _starts_on(window, local - timedelta(days=1))


def _starts_on(window: MaintenanceWindow, local: datetime) -> bool:
    return not window.weekdays or _DAYS[local.weekday()] in window.weekdays
