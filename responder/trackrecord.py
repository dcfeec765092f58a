"""How well repairs work: per workload and action, from what the ledger says of the newest recoveries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from statistics import median

import structlog

from homeostat.clock import Clock
from responder.engine import Status
from responder.history import is_look
from responder.ledger import Entry, EntryKind, Episode, Final, Store, StoreError
from responder.metrics import Metrics
from responder.verify import Verdict

log = structlog.get_logger()

#: Recoveries that are looked at: years of most, and not more than fits into memory.
_NEWEST = 1000
_REFRESH_S = 60.0
_METRICS_OVER_S = 30 * 86400.0
#: A trouble that is back so soon was not mended.
_BACK_S = 3600.0
#: Of the normal distribution, for 95 %.
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step that was taken and judged. ``seconds``: from the alert to the end, of the one that ended the trouble."""

    at: float
    workload: str
    action: str
    helped: bool
    is_back: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Of one action on one workload. Ratios 0 to 1, times in seconds; None for what never came to pass."""

    workload: str
    action: str
    taken: int
    success_ratio: float
    success_low: float
    success_high: float
    recurrence_ratio: float | None
    seconds_median: float | None
    seconds_p95: float | None


def attempts(episode: Episode, entries: Sequence[Entry], later: Iterable[float]) -> list[Attempt]:
    """The judged steps of one recovery. ``later``: when the same trouble was opened again after it."""
    found: list[Attempt] = []
    end = episode.finished_at
    started: Entry | None = None
    for entry in entries:
        if entry.kind is EntryKind.STARTED:
            started = None if is_look(entry) else entry
        elif entry.kind is EntryKind.FINISHED and entry.data["status"] == Status.SKIPPED:
            started = None
        elif entry.kind is EntryKind.JUDGED and started and entry.data["verdict"] != Verdict.INCONCLUSIVE:
            helped = entry.data["verdict"] == Verdict.VERIFIED
            is_end = helped and episode.final is Final.VERIFIED and end is not None
            found.append(
                Attempt(
                    at=started.at,
                    workload=episode.workload,
                    action=str(started.data["action"]),
                    helped=helped,
                    is_back=is_end and any(0 <= at - (end or 0.0) < _BACK_S for at in later),
                    seconds=(end or 0.0) - episode.opened_at if is_end else None,
                )
            )
            started = None
    return found


def rows(found: Iterable[Attempt]) -> list[Row]:
    """By workload and action."""
    ordered = sorted(found, key=lambda attempt: (attempt.workload, attempt.action))
    return [
        _row(workload, action, list(group))
        for (workload, action), group in groupby(ordered, key=lambda attempt: (attempt.workload, attempt.action))
    ]


def wilson(helped: int, taken: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927): honest also for a few, and for all or none."""
    share, z2 = helped / taken, _Z * _Z
    middle = share + z2 / (2 * taken)
    spread = _Z * sqrt(share * (1 - share) / taken + z2 / (4 * taken * taken))
    scale = 1 + z2 / taken
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def _row(workload: str, action: str, group: list[Attempt]) -> Row:
    helped = sum(attempt.helped for attempt in group)
    low, high = wilson(helped, len(group))
    ends = [attempt for attempt in group if attempt.seconds is not None]
    times = sorted(attempt.seconds for attempt in ends if attempt.seconds is not None)
    return Row(
        workload=workload,
        action=action,
        taken=len(group),
        success_ratio=helped / len(group),
        success_low=low,
        success_high=high,
        recurrence_ratio=sum(attempt.is_back for attempt in ends) / len(ends) if ends else None,
        seconds_median=median(times) if times else None,
        seconds_p95=times[-(-95 * len(times) // 100) - 1] if times else None,
    )


class TrackRecord:
    """Keeps up with the ledger; each recovery's lines are read once it has ended, and once."""

    def __init__(self, store: Store, metrics: Metrics, clock: Clock) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._entries: dict[int, list[Entry]] = {}
        self._attempts: list[Attempt] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(_REFRESH_S)
            try:
                await self.refresh()
            except StoreError as err:
                log.warning("track_record.unreadable", error=str(err))
                continue
            self._publish()

    async def refresh(self) -> None:
        """Look at the newest recoveries. Raises StoreError."""
        episodes = [episode for episode in await self._store.episodes(_NEWEST) if episode.final is not None]
        self._entries = {
            each.id: self._entries.get(each.id) or _steps(await self._store.entries(each.id)) for each in episodes
        }
        opened: dict[str, list[float]] = {}
        for episode in episodes:
            opened.setdefault(episode.fingerprint, []).append(episode.opened_at)
        self._attempts = [
            attempt
            for episode in episodes
            for attempt in attempts(episode, self._entries[episode.id], opened[episode.fingerprint])
        ]

    def rows(self, since: float) -> list[Row]:
        """Of steps taken after ``since``, as of the last refresh."""
        return rows(attempt for attempt in self._attempts if attempt.at > since)

    def _publish(self) -> None:
        metrics = self._metrics
        gauges = (
            (metrics.success_ratio, "success_ratio"),
            (metrics.success_low, "success_low"),
            (metrics.success_high, "success_high"),
            (metrics.recurrence_ratio, "recurrence_ratio"),
            (metrics.recovery_median, "seconds_median"),
        )
        found = self.rows(self._clock.now() - _METRICS_OVER_S)
        for gauge, field in gauges:
            gauge.clear()
            for row in found:
                if (value := getattr(row, field)) is not None:
                    gauge.labels(row.workload, row.action).set(value)


def _steps(entries: Iterable[Entry]) -> list[Entry]:
    """The lines that tell how steps fared, without the evidence."""
    return [e for e in entries if e.kind in (EntryKind.STARTED, EntryKind.FINISHED, EntryKind.JUDGED)]
