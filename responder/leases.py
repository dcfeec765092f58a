"""Leases of workloads within one process, and the store as the holder of one sees it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from homeostat.clock import Clock
from responder.ledger import Entry, EntryKind, Episode, Final, Lease, LostLease, Store

#: So long before a lease ends its holder takes it for ended: clocks differ in pace, and a call takes its time.
_MARGIN_S = 1.0


class LocalLeases:
    """For a store that one process has to itself: no other can hold one, but another worker can."""

    def __init__(self) -> None:
        self._held: dict[str, Lease] = {}
        self._last_token = 0

    def acquire(self, workload: str, owner: str, ttl_s: float, now: float) -> Lease | None:
        held = self._held.get(workload)
        if held is not None and held.until > now and held.owner != owner:
            return None
        self._last_token += 1
        lease = self._held[workload] = Lease(workload, owner, self._last_token, now + ttl_s)
        return lease

    def renew(self, lease: Lease, ttl_s: float, now: float) -> Lease:
        """Raises LostLease."""
        self.check(lease)
        renewed = self._held[lease.workload] = dataclasses.replace(lease, until=now + ttl_s)
        return renewed

    def release(self, lease: Lease) -> None:
        held = self._held.get(lease.workload)
        if held is not None and held.token == lease.token:
            del self._held[lease.workload]

    def check(self, lease: Lease | None) -> None:
        """Raises LostLease when it is not the newest of its workload."""
        if lease is None:
            return
        held = self._held.get(lease.workload)
        if held is None or held.token != lease.token:
            raise LostLease(f"{lease.workload} is leased to somebody else")


@dataclass(slots=True)
class Leased:
    """What one recovery may ask and write, all of it under its lease. ``lease`` is replaced when it is renewed."""

    store: Store
    lease: Lease
    clock: Clock

    def check(self) -> None:
        """Just before acting: raises LostLease unless the lease surely lasts still."""
        left_s = self.lease.until - self.clock.monotonic()
        if left_s < _MARGIN_S:
            raise LostLease(f"the lease of {self.lease.workload} ended {-left_s:.1f} s ago, or ends now")

    async def append(self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float) -> Entry:
        return await self.store.append(episode, kind, data, now, self.lease)

    async def finish(self, episode: Episode, final: Final, reason: str, now: float) -> Episode:
        return await self.store.finish(episode, final, reason, now, self.lease)

    async def entries(self, episode_id: int) -> list[Entry]:
        return await self.store.entries(episode_id)
