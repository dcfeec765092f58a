"""What is remembered: alerts as delivered, episodes, and an append-only record of every step with its evidence.

An *episode* is one continuous trouble of one workload, known by the alert's fingerprint (never by groupKey, which
changes with route edits). Its recovery ends in exactly one :class:`Final`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Final(StrEnum):
    """How a recovery ended. ``rolled_back`` belongs to actions that have an undo."""

    VERIFIED = "verified"
    ROLLED_BACK = "rolled_back"
    ESCALATED = "escalated"
    SELF_RESOLVED = "self_resolved"


class EntryKind(StrEnum):
    """What one line of the ledger says."""

    OPENED = "opened"
    RESOLVED = "resolved"
    REFUSED = "refused"
    WAITING = "waiting"
    STARTED = "started"
    FINISHED = "finished"
    JUDGED = "judged"
    FINAL = "final"
    DELIVERED = "delivered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as Alertmanager delivered it. Times are epoch seconds."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    is_firing: bool

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True)
class Episode:
    """One trouble. ``final`` is None while its recovery runs; ``closed_at`` is None while the trouble lasts."""

    id: int
    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    opened_at: float
    resolved_at: float | None
    final: Final | None
    reason: str
    finished_at: float | None
    closed_at: float | None
    delivered_at: float | None

    @property
    def alert(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def workload(self) -> str:
        return self.labels.get("workload", "")

    @property
    def container(self) -> str:
        return self.labels.get("container", "")

    @property
    def remedy(self) -> str:
        return self.labels.get("remedy", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. ``id`` grows strictly: a started entry's id is the fencing token of its action."""

    id: int
    at: float
    episode_id: int
    workload: str
    kind: EntryKind
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a delivery changed: episodes opened, and open episodes whose alert has ended."""

    opened: tuple[Episode, ...]
    resolved: tuple[Episode, ...]
    repeated: int


class StoreError(Exception):
    """The store cannot write or read now (disk full, damaged, locked). Nothing was acknowledged."""


class NoEpisode(StoreError):
    """There is none of this number."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of episodes whose trouble lasts. ``undelivered``: escalations that Alertmanager has not taken yet."""

    open: int
    undelivered: int


class Store(Protocol):
    """Durable state. Each call is one transaction, on disk when it returns. Raises StoreError."""

    async def accept(self, alerts: Sequence[Alert], now: float) -> Accepted: ...
    async def append(self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float) -> Entry: ...
    async def finish(self, episode: Episode, final: Final, reason: str, now: float) -> Episode: ...
    async def close_episode(self, episode: Episode, reason: str, now: float) -> Episode: ...
    async def delivered(self, episode: Episode, now: float) -> None: ...
    async def episode(self, episode_id: int) -> Episode: ...
    async def open_episodes(self) -> list[Episode]: ...
    async def unfinished(self, workload: str) -> list[Episode]: ...
    async def counts(self) -> Counts: ...
    async def episodes(self, limit: int) -> list[Episode]: ...
    async def entries(self, episode_id: int) -> list[Entry]: ...
    async def hard_steps(self, workload: str, since: float) -> list[float]: ...
    async def close(self) -> None: ...
