"""Effects that last for a time: asks for them again while they do, and puts them back when their time is over.

What has to be put back is in the ledger, so a responder that died goes on with it when it is back; what an application
was asked for meanwhile ends there by itself.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from homeostat.errors import HomeostatError
from homeostat.settings import Settings
from homeostat.steps import Step
from responder.actions import ACTIONS
from responder.actions.base import Renewable
from responder.engine import Capture, StepEngine
from responder.history import parse_step
from responder.intake import LEASE_S
from responder.leases import Leased
from responder.ledger import Entry, Episode, Measure, Store, StoreError
from responder.onlooker import Onlooker
from responder.services import Services
from responder.verify import Terms

log = structlog.get_logger()

_LOOK_S = 5.0
#: What cannot be put back is tried again at this pace, and people see it in the metric.
_AGAIN_S = 60.0


class Measures:
    """``owner``: this process, among replicas. Works under the workload's lease: never beside a recovery."""

    def __init__(self, services: Services, settings: Callable[[], Settings], capture: Capture, owner: str) -> None:
        self._s = services
        self._settings = settings
        self._capture = capture
        self._owner = owner
        self._renewed_at: dict[int, float] = {}
        self._tried_at: dict[int, float] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._s.clock.sleep(_LOOK_S)
            try:
                await self.once()
            except StoreError as err:
                log.warning("measures.unreadable", error=str(err))

    async def once(self) -> None:
        """Renew and put back what is due. Raises StoreError."""
        measures = await self._s.store.measures()
        self._s.metrics.measures.set(len(measures))
        for measure in measures:
            episode = await self._s.store.episode(measure.episode_id)
            entries = await self._s.store.entries(measure.episode_id)
            started = next(entry for entry in entries if entry.id == measure.token)
            step = parse_step(started.data["step"])
            if measure.due_at > self._s.clock.now():
                await self._renew(measure, step, started)
            elif episode.final is not None:  # while it runs, its recovery decides
                await self._end(measure, episode, step, started)
        tokens = {measure.token for measure in measures}
        self._renewed_at = {token: at for token, at in self._renewed_at.items() if token in tokens}
        self._tried_at = {token: at for token, at in self._tried_at.items() if token in tokens}

    async def _renew(self, measure: Measure, step: Step, started: Entry) -> None:
        action, now = ACTIONS[step.action], self._s.clock.monotonic()
        every_s = getattr(step, "lease", 0.0) / 3
        if not isinstance(action, Renewable) or now - self._renewed_at.get(measure.token, float("-inf")) < every_s:
            return
        memo = started.data["memo"]
        assert isinstance(memo, dict)  # noqa: S101 - as it was written
        try:
            await action.renew(step, memo, self._s.tools)
            self._renewed_at[measure.token] = now
        except HomeostatError as err:  # the application goes back by itself
            log.warning("measure.not_renewed", workload=measure.workload, action=step.action, error=str(err))

    async def _end(self, measure: Measure, episode: Episode, step: Step, started: Entry) -> None:
        now = self._s.clock.monotonic()
        if now - self._tried_at.get(measure.token, float("-inf")) < _AGAIN_S:
            return
        self._tried_at[measure.token] = now
        # Not renewed meanwhile: for all of what may come.
        lasts_s = step.timeout + step.verify.within + step.verify.hold + LEASE_S
        async with self._lease(measure.workload, lasts_s) as under:
            if under is None:
                return
            engine = StepEngine(under, self._s.tools, self._capture)
            try:
                detail = await engine.undo(episode, step, started)
            except HomeostatError as err:
                log.warning("measure.not_undone", workload=measure.workload, action=step.action, error=str(err))
                return
            log.info("measure.undone", workload=measure.workload, action=step.action, detail=detail)
            await self._look(episode, step, under)

    async def _look(self, episode: Episode, step: Step, under: Leased) -> None:
        """How it is after that, for the record: should it not be well, its alert comes again."""
        settings = self._settings()
        target = await self._s.resolver.resolve_or_none(episode, settings)
        terms = Terms(step.verify.within, step.verify.hold, patience_s=0.0)
        onlooker = Onlooker(self._s, settings)
        await onlooker.look(episode, target, step.verify, terms, f"undo {step.action}", under)

    @asynccontextmanager
    async def _lease(self, workload: str, lasts_s: float) -> AsyncIterator[Leased | None]:
        store: Store = self._s.store
        lease = await store.acquire(workload, f"{self._owner} measures", lasts_s, self._s.clock.monotonic())
        try:
            yield Leased(store, lease, self._s.clock) if lease else None
        finally:
            if lease is not None:
                with contextlib.suppress(StoreError):
                    await store.release(lease)
