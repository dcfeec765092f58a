"""When a maintenance window of homeostat.yml is on, or will be next. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from homeostat.sections import MaintenanceWindow

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Epoch seconds; the end is no part of it."""

    starts_at: float
    ends_at: float


def nearest(window: MaintenanceWindow, now: float) -> Occurrence:
    """The one that is on now, else the next. By the clock on the wall; times that a change of that clock leaves out or
    repeats are those before the change.
    """
    today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(window.timezone)).date()
    # From yesterday, as it may go past midnight, to today in a week, when today's is over.
    days = (today + number * _DAY for number in range(-1, 8))
    found = [_on(window, day) for day in days if not window.weekdays or _DAYS[day.weekday()] in window.weekdays]
    return next(each for each in found if now < each.ends_at)


def _on(window: MaintenanceWindow, day: date) -> Occurrence:
    end_day = day if window.start < window.end else day + _DAY
    return Occurrence(_moment(window, day, window.start), _moment(window, end_day, window.end))


def _moment(window: MaintenanceWindow, day: date, at: str) -> float:
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(window.timezone)).timestamp()
