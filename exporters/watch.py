"""Keeps the containers current. A full poll is the truth, events are hints that make it quick, and a process
that is gone is noticed at every scrape, also when its event was dropped.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from exporters.rawfiles import read
from exporters.stops import HISTORY_S, Heard, is_end_untold, is_stop_requested, note
from homeostat.clock import Clock
from homeostat.containers import Container, ContainerEvent, Engine
from homeostat.errors import HomeostatError, NotFound, Unreachable

log = structlog.get_logger()

POLL_S = 10.0
#: An engine that need not be there and has never answered is looked for this often.
ABSENT_POLL_S = 30.0
#: Older news is no news: three polls, and the time that the last of them may take.
STALE_S = 40.0
#: How long a scrape waits for the engine to confirm that a process has gone.
_CONFIRM_S = 1.0
#: The engine tells its history at once; after that the stream only waits.
_REPLAY_S = 1.0
#: How often ends are looked for that no event told of: until then nobody knows whether somebody wanted them.
_ASK_S = 2.0
_RECONNECT_S = 0.5
_RECONNECT_MAX_S = 10.0

#: A running container's (id, pid).
ProcessKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """One container as of now. ``is_running`` also says that its process is there."""

    container: Container
    is_running: bool
    #: None when nobody can tell.
    stopped_by_request: bool | None
    oom_kills: int


class Watcher:
    """``required``: an engine has to be there. ``proc`` is the host's."""

    def __init__(self, engine: Engine, clock: Clock, *, required: bool, proc: Path = Path("/proc")) -> None:
        self._engine = engine
        self._clock = clock
        self._required = required
        self._proc = str(proc)
        self._containers: dict[str, Container] = {}
        self._sorted: tuple[Container, ...] | None = ()
        self._heard: dict[str, Heard] = {}
        self._births: dict[ProcessKey, bytes | None] = {}
        # What was asked for later is newer, whenever its answer comes.
        self._turn = 0
        self._turns: dict[str, int] = {}
        self._polled_at: float | None = None
        self._changed: set[str] = set()
        self._has_changed = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """An engine has to be there, or has been."""
        return self._required or self._polled_at is not None

    @property
    def containers(self) -> tuple[Container, ...]:
        """The last known containers, by name. The same object while nothing has changed."""
        if self._sorted is None:
            self._sorted = tuple(sorted(self._containers.values(), key=lambda container: container.name))
        return self._sorted

    async def look(self) -> list[Seen]:
        """The containers as of now. Raises Unreachable when the engine has not answered for too long."""
        if self._polled_at is None:
            raise Unreachable("no Docker Engine has answered yet")
        age_s = self._clock.monotonic() - self._polled_at
        if age_s > STALE_S:
            raise Unreachable(f"the Docker Engine has not answered for {age_s:.0f} s")
        gone = await self._find_gone()
        if gone:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CONFIRM_S):
                    await asyncio.gather(*(self._inspect(container_id) for container_id, _ in gone))
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
        since = self._history_of(c for c in self._containers.values() if not c.is_running)
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
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            changed, self._changed = self._changed, set()
            await asyncio.gather(*(self._inspect(container_id) for container_id in changed))

    async def _poll(self) -> None:
        turn = self._next_turn()
        found = {container.id: container for container in await self._engine.list()}
        for container_id in self._containers.keys() | found.keys():
            self._put(container_id, found.get(container_id), turn)
        self._polled_at = self._clock.monotonic()
        self._turns = {key: at for key, at in self._turns.items() if key in self._containers or at > turn}
        self._heard = {key: heard for key, heard in self._heard.items() if key in self._turns}

    async def _ask_again(self) -> None:
        """The engine drops events: where an end came without a word, its history is read once more."""
        now = self._clock.now()
        untold = [c for c in self._containers.values() if is_end_untold(c, self._hearing(c.id), now)]
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
        container = self._containers.get(event.container_id)
        note(self._hearing(event.container_id), event, container.stop_signal if container else "")
        if event.action == "destroy":
            self._changed.discard(event.container_id)
            self._put(event.container_id, None, self._next_turn())
        elif event.action != "kill":  # which changes nothing by itself
            self._changed.add(event.container_id)
            self._has_changed.set()

    async def _inspect(self, container_id: str) -> None:
        turn = self._next_turn()
        try:
            container = await self._engine.inspect(container_id)
        except NotFound:
            container = None
        except HomeostatError as err:
            log.debug("docker.inspect_failed", container=container_id[:12], reason=str(err))
            return
        self._put(container_id, container, turn)

    def _put(self, container_id: str, container: Container | None, turn: int) -> None:
        if turn < self._turns.get(container_id, 0):
            return
        self._turns[container_id] = turn
        before = self._containers.pop(container_id, None)
        if container is not None and not container.is_oneoff:
            self._containers[container_id] = container
        if before != self._containers.get(container_id):
            self._sorted = None

    async def _find_gone(self) -> set[ProcessKey]:
        keys = [(container.id, container.pid) for container in self.containers if container.is_running]
        births = await asyncio.to_thread(_births, self._proc, keys)
        # Only a process that was once seen can be missed: in another pid namespace none of them is.
        self._births = {key: self._births.get(key, birth) for key, birth in births.items()}
        return {key for key, birth in births.items() if self._births[key] not in (None, birth)}

    def _hearing(self, container_id: str) -> Heard:
        return self._heard.setdefault(container_id, Heard())

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn


def _births(proc: str, keys: Iterable[ProcessKey]) -> dict[ProcessKey, bytes | None]:
    return {(container_id, pid): birth(read(f"{proc}/{pid}/stat")) for container_id, pid in keys}


def birth(stat: bytes | None) -> bytes | None:
    """When a process started, in the kernel's units; it tells a process from its pid's next user. None for a dead one.

    ``stat``: /proc/PID/stat (proc_pid_stat(5)); the command in it may hold spaces and brackets.
    """
    fields = (stat or b"").rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):  # noqa: PLR2004 - field 22 of the file
        return None
    return fields[19]
