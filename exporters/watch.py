"""Keeps the containers current. The engine's list is the truth, events are hints that make it quick, and a process
that is gone is noticed at every scrape, also when its event was dropped.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from exporters.due import contradicts, due
from exporters.lives import Check, Lives
from exporters.roster import Roster
from exporters.stops import HISTORY_S, Heard, is_end_told, is_end_untold, is_stop_requested, note
from exporters.together import Together
from homeostat.clock import Clock
from homeostat.containers import Container, ContainerEvent, ContainerRow, Engine
from homeostat.errors import HomeostatError, NotFound, Permanent, Unreachable

log = structlog.get_logger()

POLL_S = 10.0
#: An engine that need not be there and has never answered is looked for this often.
ABSENT_POLL_S = 30.0
#: Older news is no news: three polls, and the time that the last of them may take.
STALE_S = 40.0
#: How long a scrape waits for the engine to confirm that a process has gone.
_CONFIRM_S = 1.0
#: The event of an end comes a little before or after the engine has it in its answers.
_WORD_S = 0.2
#: The engine tells its history at once; after that the stream only waits.
_REPLAY_S = 1.0
#: How often ends are looked for that no event told of: until then nobody knows whether somebody wanted them.
_ASK_S = 2.0
_RECONNECT_S = 0.5
_RECONNECT_MAX_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One container as of now. ``is_running`` also says that its process is there."""

    container: Container
    is_running: bool
    #: None when nobody can tell.
    stopped_by_request: bool | None
    oom_kills: int


class Watcher:
    """``required``: an engine has to be there. ``proc``: the host's. ``most_open``: processes to hold open."""

    def __init__(
        self, engine: Engine, clock: Clock, *, required: bool, proc: Path = Path("/proc"), most_open: int = 0
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._required = required
        self._roster = Roster()
        self._heard: dict[str, Heard] = {}
        self._lives = Lives(str(proc), most_open)
        self._check_processes = Together(self._check_processes_now)
        self._polled_at: float | None = None
        self._unreadable: set[str] = set()
        self._changed: set[str] = set()
        self._followed: set[str] = set()
        self._has_changed = asyncio.Event()
        self._has_heard = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """An engine has to be there, or has been."""
        return self._required or self._polled_at is not None

    @property
    def containers(self) -> tuple[Container, ...]:
        """The last known containers, by name. The same object while nothing has changed."""
        return self._roster.containers

    async def look(self) -> list[Seen]:
        """The containers as of now. Raises Unreachable when the engine has not answered for too long."""
        if self._polled_at is None:
            raise Unreachable("no Docker Engine has answered yet")
        age_s = self._clock.monotonic() - self._polled_at
        if age_s > STALE_S:
            raise Unreachable(f"the Docker Engine has not answered for {age_s:.0f} s")
        gone = (await self._check_processes()).gone
        if gone:
            await self._confirm({container_id for container_id, _ in gone})
        now = self._clock.now()
        return [
            Seen(
                container=container,
                is_running=container.is_running and (container.id, container.pid) not in gone,
                stopped_by_request=is_stop_requested(container, self._hearing(container.id), now),
                oom_kills=self._hearing(container.id).oom_count,
            )
            for container in self.containers
        ]

    async def _confirm(self, container_ids: Collection[str]) -> None:
        """Ask the engine what became of these, and wait for a moment for the event that says why."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CONFIRM_S):
                await asyncio.gather(*(self._inspect(container_id) for container_id in container_ids))
            async with asyncio.timeout(_WORD_S):
                while any(
                    not is_end_told(container, self._hearing(container.id))
                    for container in self.containers
                    if container.id in container_ids
                ):
                    self._has_heard.clear()
                    await self._has_heard.wait()

    async def run(self) -> None:
        """Until cancelled."""
        await self._find_engine()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_polling())
            group.create_task(self._keep_asking())
            group.create_task(self._keep_listening())
            group.create_task(self._keep_inspecting())

    async def _find_engine(self) -> None:
        is_told = False
        while True:
            try:
                return await self._poll()
            except HomeostatError as err:
                if not is_told:
                    log.warning("docker.absent", reason=str(err), required=self._required)
                is_told = True
            await self._clock.sleep(POLL_S if self._required else ABSENT_POLL_S)

    async def _keep_polling(self) -> None:
        while True:
            await self._clock.sleep(POLL_S)
            try:
                await self._poll()
            except HomeostatError as err:
                log.warning("docker.poll_failed", reason=str(err))

    async def _keep_asking(self) -> None:
        while True:
            await self._clock.sleep(_ASK_S)
            try:
                await self._ask_again()
            except HomeostatError as err:
                log.debug("docker.history_failed", reason=str(err))

    async def _keep_listening(self) -> None:
        # What happened before this process started is still told, as far back as the engine remembers.
        since = self._history_of(c for c in self.containers if not c.is_running)
        wait_s = _RECONNECT_S
        while True:
            try:
                async with contextlib.aclosing(self._engine.events(since)) as events:
                    async for event in events:
                        since, wait_s = max(since, event.at), _RECONNECT_S
                        self._hear(event)
                # It ended by itself, as a silent one does: what happens until the next one is told by that.
                wait_s = _RECONNECT_S
            except HomeostatError as err:
                log.debug("docker.events_failed", reason=str(err))
                wait_s = min(2 * wait_s, _RECONNECT_MAX_S)
            await self._clock.sleep(wait_s)

    async def _keep_inspecting(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._has_changed.wait()
                self._has_changed.clear()
                for container_id in self._changed - self._followed:
                    self._followed.add(container_id)
                    group.create_task(self._follow(container_id))

    async def _follow(self, container_id: str) -> None:
        """One at a time for each container; none waits for another on which the engine hangs."""
        while container_id in self._changed:
            self._changed.discard(container_id)
            await self._inspect(container_id)
        self._followed.discard(container_id)

    async def _poll(self) -> None:
        """List all, inspect those that the list does not settle. Raises HomeostatError when nothing can be known."""
        roster, turn = self._roster, self._roster.turn()
        rows = {row.id: row for row in await self._engine.rows() if not row.is_oneoff}
        answered_at = self._clock.monotonic()
        for container_id in roster.by_id.keys() - rows.keys():
            roster.put(container_id, None, turn, answered_at)
        processes = await self._check_processes()
        gone = {container_id for container_id, _ in processes.gone}
        suspects = roster.in_doubt.keys() | gone | {container_id for container_id, _ in processes.unseen}
        wanted = due(rows.values(), roster.by_id, roster.inspected_at, suspects)
        await asyncio.gather(*(self._inspect(container_id) for container_id in wanted))
        self._drop_wrong(rows, gone)
        roster.forget(turn, rows.keys())
        self._heard = {key: heard for key, heard in self._heard.items() if not roster.is_forgotten(key)}
        self._unreadable &= roster.in_doubt.keys()
        if roster.in_doubt and not roster.by_id:
            raise Unreachable(f"the Docker Engine lists {len(rows)} containers and tells nothing of them")
        self._polled_at = answered_at

    def _drop_wrong(self, rows: Mapping[str, ContainerRow], gone: Collection[str]) -> None:
        """Where what is known is wrong, and the engine has not told better for too long, nothing is known."""
        now = self._clock.monotonic()
        overdue = [key for key, since in self._roster.in_doubt.items() if now - since > STALE_S]
        for container_id in self._roster.by_id.keys() & overdue:
            row = rows.get(container_id)
            if container_id in gone or row is None or contradicts(row, self._roster.by_id[container_id]):
                log.warning("docker.container_unknown", container=container_id[:12])
                self._roster.put(container_id, None, self._roster.turn(), now)
                self._roster.doubt(container_id, now)

    async def _ask_again(self) -> None:
        """The engine drops events: where an end came without a word, its history is read once more."""
        now = self._clock.now()
        untold = [c for c in self.containers if is_end_untold(c, self._hearing(c.id), now)]
        if not untold:
            return
        with contextlib.suppress(TimeoutError):
            async with (
                asyncio.timeout(_REPLAY_S),
                contextlib.aclosing(self._engine.events(self._history_of(untold))) as events,
            ):
                async for event in events:
                    self._hear(event)

    def _history_of(self, ended: Iterable[Container]) -> float:
        """From when the engine has to tell how these ended. Each end is asked for once."""
        since = self._clock.now()
        for container in ended:
            if container.finished_at is not None:
                self._hearing(container.id).asked = container.finished_at
                since = min(since, container.finished_at - HISTORY_S)
        return since

    def _hear(self, event: ContainerEvent) -> None:
        container = self._roster.by_id.get(event.container_id)
        note(self._hearing(event.container_id), event, container.stop_signal if container else "")
        self._has_heard.set()
        if event.action == "destroy":
            self._changed.discard(event.container_id)
            self._roster.put(event.container_id, None, self._roster.turn(), self._clock.monotonic())
        elif event.action != "kill":  # which changes nothing by itself
            self._changed.add(event.container_id)
            self._has_changed.set()

    async def _inspect(self, container_id: str) -> None:
        turn = self._roster.turn()
        try:
            container = await self._engine.inspect(container_id)
        except NotFound:
            container = None
        except HomeostatError as err:
            self._doubt(container_id, err)
            return
        self._roster.put(container_id, container, turn, self._clock.monotonic())

    def _doubt(self, container_id: str, err: HomeostatError) -> None:
        self._roster.doubt(container_id, self._clock.monotonic())
        if not isinstance(err, Permanent):
            log.debug("docker.inspect_failed", container=container_id[:12], reason=str(err))
        elif container_id not in self._unreadable:
            self._unreadable.add(container_id)
            log.warning("docker.container_unreadable", container=container_id[:12], reason=str(err))

    async def _check_processes_now(self) -> Check:
        keys = [(container.id, container.pid) for container in self.containers if container.is_running]
        return await asyncio.to_thread(self._lives.check, keys)

    def _hearing(self, container_id: str) -> Heard:
        return self._heard.setdefault(container_id, Heard())
