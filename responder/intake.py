"""One worker per workload: episodes of one workload never run at the same time, those of different ones do.

The queue is the ledger itself, so it is as bounded as the disk and survives a crash; here are only wake-ups.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from homeostat.clock import Clock
from responder.ledger import Episode, Final, Store, StoreError
from responder.metrics import Metrics
from responder.recovery import Deferred

log = structlog.get_logger()

#: After a failure that nobody foresaw, or a ledger that cannot be written: wait, then try the episode again.
_RETRY_S = 5.0
#: An episode that fails so long for a reason that nobody foresaw is a person's.
_GIVE_UP_S = 900.0
#: Workloads repaired at once. More than a few hosts' worth of simultaneous trouble is a storm, not many repairs.
_MAX_WORKERS = 64

Advance = Callable[[Episode], Awaitable[Episode | Deferred]]
Finished = Callable[[Episode], Awaitable[None]]


class Intake:
    """Keeps a worker for each workload that has an unfinished episode."""

    def __init__(self, store: Store, advance: Advance, finished: Finished, metrics: Metrics, clock: Clock) -> None:
        self._store = store
        self._advance = advance
        self._finished = finished
        self._metrics = metrics
        self._clock = clock
        self._wake: dict[str, asyncio.Event] = {}
        self._slots = asyncio.Semaphore(_MAX_WORKERS)
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled. Starts with what an earlier life left unfinished."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for episode in await self._store.open_episodes():
                self.wake(episode.workload)
            await asyncio.Event().wait()

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
            episodes = await self._store.unfinished(workload)
            self._metrics.active.labels(workload).set(len(episodes))
            delays = [await self._one(episode) for episode in episodes]
        except StoreError as err:
            log.error("ledger.unwritable", error=str(err))  # noqa: TRY400 - the message says it all
            return _RETRY_S
        return min(delays) if delays else None

    async def _one(self, episode: Episode) -> float:
        async with self._slots:
            try:
                result = await self._advance(episode)
            except StoreError:
                raise
            except Exception as err:  # one episode's defect must not end the others' repair
                log.exception("recovery.failed", recovery=episode.id, workload=episode.workload)
                if self._clock.now() - episode.opened_at < _GIVE_UP_S:
                    return _RETRY_S
                reason = f"homeostat itself fails at it: {err!r:.200}"
                result = await self._store.finish(episode, Final.ESCALATED, reason, self._clock.now())
        if isinstance(result, Deferred):
            return result.delay_s
        await self._finished(result)
        return 0.0

    async def _pause(self, event: asyncio.Event, delay_s: float) -> None:
        waiter = asyncio.ensure_future(event.wait())
        sleeper = asyncio.ensure_future(self._clock.sleep(delay_s))
        try:
            await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()
