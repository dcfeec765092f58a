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
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EVIDENCE = "evidence"
    STARTED = "started"
    FINISHED = "finished"
    JUDGED = "judged"
    UNDONE = "undone"
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


def new_episode(alert: Alert, episode_id: int, now: float) -> Episode:
    """The episode that this alert begins."""
    return Episode(
        id=episode_id,
        fingerprint=alert.fingerprint,
        labels=dict(alert.labels),
        annotations=dict(alert.annotations),
        starts_at=float(alert.starts_at),
        opened_at=float(now),
        resolved_at=None,
        final=None,
        reason="",
        finished_at=None,
        closed_at=None,
        delivered_at=None,
    )


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
class Link:
    """One line as it is stored. ``digest`` vouches for it and all before it (responder/chain.py)."""

    id: int
    at: float
    episode_id: int
    workload: str
    kind: str
    text: str
    digest: str


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


class LostLease(StoreError):
    """Somebody else repairs this workload now, or may by now. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to repair one workload. ``token`` grows with each lease of it; the store refuses writes under an older
    one. ``until``: monotonic seconds of this process; past it somebody else may hold it.
    """

    workload: str
    owner: str
    token: int
    until: float


@dataclass(frozen=True, slots=True)
class Counts:
    """Of episodes whose trouble lasts. ``undelivered``: escalations that Alertmanager has not taken yet."""

    open: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that was started, as far as caps and cool-downs ask."""

    at: float
    episode_id: int
    workload: str
    action: str
    tier: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A step whose effect lasts and has to be put back: the id of its started entry, and when that is due."""

    token: int
    episode_id: int
    workload: str
    due_at: float


@dataclass(frozen=True, slots=True)
class Hold:
    """An operator's word to keep hands off: of one workload, ``PROJECT/*`` or ``*``. ``until`` None: until released."""

    pattern: str
    reason: str
    by: str
    at: float
    until: float | None


class Store(Protocol):
    """Durable state. Each call is one transaction, on disk when it returns. Raises StoreError.

    Writes about an episode under a ``lease`` raise LostLease once its workload has been leased to somebody else;
    without one they are not fenced.
    """

    @property
    def is_shared(self) -> bool:
        """Whether other replicas may use it, so that leases end when their holders do."""
        ...

    async def accept(self, alerts: Sequence[Alert], now: float) -> Accepted: ...

    async def append(
        self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float, lease: Lease | None = None
    ) -> Entry: ...
    async def finish(
        self, episode: Episode, final: Final, reason: str, now: float, lease: Lease | None = None
    ) -> Episode: ...
    async def close_episode(self, episode: Episode, reason: str, now: float, lease: Lease | None = None) -> Episode: ...
    async def delivered(self, episodes: Sequence[Episode], now: float) -> None: ...

    async def acquire(self, workload: str, owner: str, ttl_s: float, now: float) -> Lease | None: ...
    async def renew(self, lease: Lease, ttl_s: float, now: float) -> Lease: ...
    async def release(self, lease: Lease) -> None: ...

    async def episode(self, episode_id: int) -> Episode: ...
    async def episodes(self, limit: int) -> list[Episode]: ...
    async def unfinished(self, workload: str, limit: int = 100) -> list[Episode]: ...
    async def unfinished_workloads(self) -> list[str]: ...
    async def escalated(self, after_id: int, limit: int) -> list[Episode]: ...
    async def open_episodes(self, limit: int = 1000) -> list[Episode]: ...
    async def open_workloads(self) -> list[str]: ...
    async def last_ends(self, fingerprints: Sequence[str]) -> dict[str, float]: ...
    async def opened_since(self, since: float) -> dict[str, float]: ...
    async def counts(self) -> Counts: ...

    async def entries(self, episode_id: int) -> list[Entry]: ...
    async def steps(self, since: float) -> list[StepRecord]: ...
    async def measures(self) -> list[Measure]: ...
    async def links(self, after_id: int, limit: int) -> list[Link]: ...

    async def put_hold(self, hold: Hold) -> None: ...
    async def drop_hold(self, pattern: str) -> bool: ...
    async def holds(self) -> list[Hold]: ...

    async def close(self) -> None: ...
