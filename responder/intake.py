"""One worker per workload: episodes of one workload never run at the same time, those of different ones do; and no
other replica works on it meanwhile.

The queue is the ledger itself, so it is as bounded as the disk and survives a crash; here are only wake-ups.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from homeostat.clock import Clock
from responder.leases import Leased
from responder.ledger import Episode, Final, Lease, LostLease, Store, StoreError
from responder.metrics import Metrics
from responder.recovery import Deferred

log = structlog.get_logger()

#: After a failure that nobody foresaw, or a ledger that cannot be written: wait, then try the episode again.
_RETRY_S = 5.0
#: Another replica works on it: it may end, or die.
_LEASED_AGAIN_S = 1.0
#: How soon another replica takes over from one that died; three renewals may fail before.
LEASE_S = 15.0
#: An episode that fails so long for a reason that nobody foresaw is a person's.
_GIVE_UP_S = 900.0
#: Workloads repaired at once. More than a few hosts' worth of simultaneous trouble is a storm, not many repairs.
_MAX_WORKERS = 64
#: Episodes of one workload that are looked at in one round; the oldest first.
_PER_ROUND = 20
#: Work that another replica took in, and dropped or died over, is looked for this often.
_SWEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class Duties:
    """What a worker does with an episode, and whether it is a storm now."""

    advance: Callable[[Episode, Leased], Awaitable[Episode | Deferred]]
    finished: Callable[[Episode], Awaitable[None]]
    is_storm: Callable[[], bool]


class Intake:
    """Keeps a worker for each workload that has an unfinished episode. ``owner``: this process, among replicas."""

    def __init__(self, store: Store, duties: Duties, metrics: Metrics, clock: Clock, owner: str) -> None:
        self._store = store
        self._duties = duties
        self._metrics = metrics
        self._clock = clock
        self._owner = owner
        self._wake: dict[str, asyncio.Event] = {}
        self._slots = asyncio.Semaphore(_MAX_WORKERS)
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled. Starts with what an earlier life left unfinished."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._sweep()
            while self._store.is_shared:
                await self._clock.sleep(_SWEEP_S)
                try:
                    await self._sweep()
                except StoreError as err:
                    log.warning("ledger.unreadable", error=str(err))
            await asyncio.Event().wait()

    async def _sweep(self) -> None:
        for workload in await self._store.unfinished_workloads():
            if workload not in self._wake:
                self.wake(workload)

    def wake(self, workload: str) -> None:
        """Something about an episode of this workload has changed."""
        if event := self._wake.get(workload):
            event.set()
        elif self._group is not None:
            self._wake[workload] = asyncio.Event()
            self._group.create_task(self._work(workload), name=f"worker {workload}")

    async def _work(self, workload: str) -> None:
        """Until nothing of the workload is unfinished."""
        event = self._wake[workload]
        try:
            while True:
                event.clear()
                delay_s = await self._round(workload)
                # Between the last look and here nothing was awaited that could have woken us unseen.
                if delay_s is None and not event.is_set():
                    return
                if delay_s:
                    await self._pause(event, delay_s)
        finally:
            del self._wake[workload]
            self._metrics.active.remove(workload)

    async def _round(self, workload: str) -> float | None:
        """Advance each unfinished episode once. None when there is none; else when to look again, 0 for at once."""
        try:
            # The slot first: a lease that only waits for its turn would keep other replicas from the work.
            async with self._slots, self._lease(workload) as under:
                if under is None:
                    return _LEASED_AGAIN_S if await self._store.unfinished(workload, 1) else None
                return await self._advance_all(workload, under)
        except LostLease as err:
            log.warning("lease.lost", workload=workload, reason=str(err))
            return _LEASED_AGAIN_S
        except StoreError as err:
            log.error("ledger.unwritable", error=str(err))  # noqa: TRY400 - the message says it all
            return _RETRY_S

    async def _advance_all(self, workload: str, under: Leased) -> float | None:
        # In a storm one of them says why nothing is done; the others would only say it again.
        episodes = await self._store.unfinished(workload, 1 if self._duties.is_storm() else _PER_ROUND)
        self._metrics.active.labels(workload).set(len(episodes))
        delays = [await self._one(episode, under) for episode in episodes]
        return min(delays) if delays else None

    async def _one(self, episode: Episode, under: Leased) -> float:
        try:
            result = await self._duties.advance(episode, under)
        except StoreError:
            raise
        except Exception as err:  # one episode's defect must not end the others' repair
            log.exception("recovery.failed", recovery=episode.id, workload=episode.workload)
            if self._clock.now() - episode.opened_at < _GIVE_UP_S:
                return _RETRY_S
            reason = f"homeostat itself fails at it: {err!r:.200}"
            result = await under.finish(episode, Final.ESCALATED, reason, self._clock.now())
        if isinstance(result, Deferred):
            return result.delay_s
        await self._duties.finished(result)
        return 0.0

    @asynccontextmanager
    async def _lease(self, workload: str) -> AsyncIterator[Leased | None]:
        """The right to work on it; None while another replica has it. Raises LostLease when it ended in the middle."""
        lasts_s = LEASE_S if self._store.is_shared else math.inf
        lease = await self._store.acquire(workload, self._owner, lasts_s, self._clock.monotonic())
        if lease is None:
            yield None
            return
        under = Leased(self._store, lease, self._clock)
        try:
            if not self._store.is_shared:
                yield under
                return
            async with _while_renewed(under, lasts_s):
                yield under
        finally:
            await self._release(under.lease)

    async def _release(self, lease: Lease) -> None:
        try:
            await self._store.release(lease)
        except StoreError as err:  # it ends by itself
            log.debug("lease.unreleased", workload=lease.workload, error=str(err))

    async def _pause(self, event: asyncio.Event, delay_s: float) -> None:
        waiter = asyncio.ensure_future(event.wait())
        sleeper = asyncio.ensure_future(self._clock.sleep(delay_s))
        try:
            await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()


@asynccontextmanager
async def _while_renewed(under: Leased, lasts_s: float) -> AsyncIterator[None]:
    """The block is cancelled when the lease ends, which raises LostLease."""

    async def renew() -> None:
        while True:
            await under.clock.sleep(lasts_s / 3)
            try:
                under.lease = await under.store.renew(under.lease, lasts_s, under.clock.monotonic())
            except LostLease:
                raise
            except StoreError:
                under.check()  # it may last until the next try

    try:
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(renew(), name=f"lease {under.lease.workload}")
            yield
            renewing.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
