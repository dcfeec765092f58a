"""The container engine: typed, threaded, bounded, every call under a deadline."""

import asyncio
import contextlib
import dataclasses
import functools
import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import quote

from homeostat import containerexec, engineimages, enginejson, names, statsjson
from homeostat.containerexec import ExecResult
from homeostat.containerinfo import (
    Container,
    ContainerDetails,
    ContainerEvent,
    ContainerProcess,
    ContainerRow,
    ContainerStats,
    EngineHost,
)
from homeostat.engineimages import PrunedImages
from homeostat.errors import HomeostatError, NotFound, NotSupported, Unreachable
from homeostat.threads import run_in_thread
from homeostat.workloads import PLAIN

if TYPE_CHECKING:
    from homeostat.dockerapi import DockerApi, EventStream

__all__ = [
    "Container",
    "ContainerDetails",
    "ContainerEvent",
    "ContainerProcess",
    "ContainerRow",
    "ContainerStats",
    "DockerEngine",
    "Engine",
    "EngineHost",
    "ExecResult",
    "PrunedImages",
]

T = TypeVar("T")

#: Calls at once: enough to inspect a fleet quickly, too few to press a busy daemon.
_THREADS = 8
_CALL_TIMEOUT_S = 10.0
#: Events kept for a reader that falls behind; the oldest go first.
_EVENTS_KEPT = 1024
#: Older engines take two samples for stats, whatever they are asked.
_ONE_SHOT_SINCE = "1.41"
#: What ps(1) is asked for: nothing that it would have to wait for. The command line of a process that is stuck in the
#: kernel may be locked, its name is not.
_TOP = "-eo pid,stat,rss,nlwp,wchan:32,comm"
#: Containers in each other's networks: followed so far, which also ends a circle.
_NETWORK_OWNERS = 3


class Engine(Protocol):
    """What homeostat asks of a container engine."""

    async def version(self) -> str: ...
    async def system_time(self) -> float: ...
    async def list(self, workload_id: str | None = None) -> list[Container]: ...
    async def rows(self) -> tuple[ContainerRow, ...]: ...
    async def inspect(self, container_id: str) -> Container: ...
    async def stats(self, container_id: str, timeout_s: float) -> ContainerStats: ...
    async def details(self, container_id: str, timeout_s: float) -> ContainerDetails: ...
    async def image_digests(self, image_id: str, timeout_s: float) -> tuple[str, ...]: ...
    async def top(self, container_id: str, timeout_s: float) -> tuple[ContainerProcess, ...]: ...
    async def logs(self, container_id: str, lines: int, most_bytes: int, timeout_s: float) -> str: ...
    async def restart(self, container_id: str, grace_s: float | None, timeout_s: float) -> None: ...
    async def unpause(self, container_id: str) -> None: ...
    async def exec(
        self, container_id: str, argv: Sequence[str], timeout_s: float, env: Mapping[str, str]
    ) -> ExecResult: ...
    async def has_own_pids(self, container_id: str) -> bool: ...
    async def prune_images(self, older_than_s: float, timeout_s: float) -> PrunedImages: ...
    async def host(self) -> EngineHost: ...
    async def update(
        self, container_id: str, memory: int | None, memory_swap: int | None, nano_cpus: int | None
    ) -> None: ...
    def events(self, since: float) -> AsyncGenerator[ContainerEvent, None]: ...
    async def close(self) -> None: ...


class DockerEngine:
    """Docker through its SDK. Raises Unreachable, NotFound or Permanent, never SDK errors."""

    def __init__(self, host: str | None = None) -> None:
        self._host = host
        self._slots = asyncio.Semaphore(_THREADS)
        self._client: DockerApi | None = None
        self._connecting = threading.Lock()
        self._is_closed = False

    async def version(self) -> str:
        """The engine's version, e.g. ``26.1.5``."""
        return str(await self._call(lambda api: api.sdk.version()["Version"]))

    async def system_time(self) -> float:
        """The engine's clock, epoch seconds. It works for this answer: ask rarely."""
        return await self._call(lambda api: enginejson.system_time(api.sdk.info()))

    async def list(self, workload_id: str | None = None) -> list[Container]:
        """All containers, also exited ones; of one workload when named. Vanished ones are left out."""
        filters: dict[str, list[str]] = {}
        project, _, service = (workload_id or "").partition("/")
        if workload_id and project == PLAIN:
            filters["name"] = [f"^/?{service}$"]
        elif workload_id:
            filters["label"] = [
                f"{names.COMPOSE_PROJECT}={project}",
                f"{names.COMPOSE_SERVICE}={service}",
            ]
        params = {"all": "1", "filters": json.dumps(filters)}
        rows = await self._call(lambda api: enginejson.rows(api.get("/containers/json", params, _CALL_TIMEOUT_S)))
        found = await asyncio.gather(*(self._inspect_or_none(row.id) for row in rows))
        # The engine's name filter is a regular expression: a dot in a name would match its neighbours.
        return [c for c in found if c and not c.is_oneoff and workload_id in (None, c.workload_id)]

    async def rows(self) -> tuple[ContainerRow, ...]:
        """All containers in one cheap call, also exited ones and errands."""
        params = {"all": "1"}
        return await self._call(lambda api: enginejson.rows(api.get("/containers/json", params, _CALL_TIMEOUT_S)))

    async def inspect(self, container_id: str) -> Container:
        """Raises NotFound when it is gone, Permanent when the answer is about another one or cannot be read."""
        container = owner = await self._inspect(container_id)
        with contextlib.suppress(NotFound):
            for _ in range(_NETWORK_OWNERS):
                if not container.is_running or not owner.network_mode.startswith("container:"):
                    break
                owner = await self._inspect(owner.network_mode.removeprefix("container:"))
        # It is reached where its network's owner is.
        return container if owner is container else dataclasses.replace(container, addresses=owner.addresses)

    async def stats(self, container_id: str, timeout_s: float) -> ContainerStats:
        """The engine's own measurement, one sample. Raises NotSupported where it would take two, a second apart."""

        def call(api: "DockerApi") -> ContainerStats:
            if api.is_older_than(_ONE_SHOT_SINCE):
                raise NotSupported(f"the Docker Engine's API is older than {_ONE_SHOT_SINCE}")
            params = {"stream": "false", "one-shot": "true"}
            return statsjson.stats(api.get(f"/containers/{container_id}/stats", params, timeout_s))

        return await self._call(call, timeout_s)

    async def details(self, container_id: str, timeout_s: float) -> ContainerDetails:
        """As it is for an examination: its addresses are its own, whoever's network it is in."""
        path = f"/containers/{quote(container_id, safe='')}/json"
        return await self._call(lambda api: enginejson.details(api.get(path, {}, timeout_s)), timeout_s)

    async def image_digests(self, image_id: str, timeout_s: float) -> tuple[str, ...]:
        """What registries call the image; empty for one that was built here."""
        path = f"/images/{quote(image_id, safe=':')}/json"
        return await self._call(lambda api: enginejson.image_digests(api.get(path, {}, timeout_s)), timeout_s)

    async def top(self, container_id: str, timeout_s: float) -> tuple[ContainerProcess, ...]:
        """Its processes now, from the engine's host. Refused (Permanent, Unreachable) while it does not run."""
        path, params = f"/containers/{container_id}/top", {"ps_args": _TOP}
        return await self._call(lambda api: enginejson.processes(api.get(path, params, timeout_s)), timeout_s)

    async def logs(self, container_id: str, lines: int, most_bytes: int, timeout_s: float) -> str:
        """Its newest lines with their times, ``most_bytes`` of them; a longer line than 16 KiB is its beginning."""
        path = f"/containers/{container_id}/logs"
        params = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(lines)}
        tail = await self._call(lambda api: api.tail(path, params, most_bytes, timeout_s), timeout_s)
        return tail.decode(errors="replace")

    async def restart(self, container_id: str, grace_s: float | None, timeout_s: float) -> None:
        """Restart; ``grace_s`` None keeps the container's own stop timeout."""
        # The SDK's restart() always sends a grace of its own, which would override the container's.
        params = {} if grace_s is None else {"t": round(grace_s)}

        path = f"/containers/{container_id}/restart"
        await self._call(lambda api: api.post(path, params, timeout_s), timeout_s)

    async def unpause(self, container_id: str) -> None:
        await self._call(lambda api: api.sdk.unpause(container_id))

    async def exec(
        self, container_id: str, argv: Sequence[str], timeout_s: float, env: Mapping[str, str]
    ) -> ExecResult:
        """Run a program in a container, as the container's own user; no shell sees the arguments. A failed program is a
        result. Raises Permanent when the container is paused or does not run.
        """
        return await containerexec.run(self._call, container_id, argv, timeout_s, env)

    async def has_own_pids(self, container_id: str) -> bool:
        """Whether pid 1 in it is its own main process, and not the host's or another container's."""
        path = f"/containers/{container_id}/json"
        return await self._call(lambda api: containerexec.has_own_pids(api.get(path, {}, _CALL_TIMEOUT_S)))

    async def prune_images(self, older_than_s: float, timeout_s: float) -> PrunedImages:
        """Delete images that have neither a name nor a container, and were made longer ago than that."""
        filters = json.dumps({"dangling": ["true"], "until": [f"{older_than_s:.0f}s"]})
        path = "/images/prune"
        return await self._call(
            lambda api: engineimages.pruned_images(api.ask(path, {"filters": filters}, {}, timeout_s)), timeout_s
        )

    async def host(self) -> EngineHost:
        """What the engine's machine has. It works for this answer: ask rarely."""
        return await self._call(lambda api: enginejson.engine_host(api.sdk.info()))

    async def update(
        self, container_id: str, memory: int | None, memory_swap: int | None, nano_cpus: int | None
    ) -> None:
        """Other limits, as :class:`Container` has them; None leaves one as it is. Raises Permanent when they cannot be:
        memory that is in use, more cores than there are.

        Memory and swap go in one call: the kernel of cgroup v1 wants each of them at the right moment, which the
        engine knows.
        """
        given = {"Memory": memory, "MemorySwap": memory_swap, "NanoCpus": nano_cpus}
        body = {key: value for key, value in given.items() if value is not None}
        await self._call(lambda api: api.post_json(f"/containers/{container_id}/update", body, _CALL_TIMEOUT_S))

    async def events(self, since: float) -> AsyncGenerator[ContainerEvent, None]:
        """Events from ``since`` (epoch seconds) on, until the stream breaks or falls silent (then it just ends).

        Raises as the other calls do when it cannot begin. Closing the generator ends its thread.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[ContainerEvent | HomeostatError | None] = asyncio.Queue(_EVENTS_KEPT)
        stream = _EventStream(self._connected, since)

        def offer(item: ContainerEvent | HomeostatError | None) -> None:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(item)

        def pump() -> None:
            end: HomeostatError | None = None
            with contextlib.suppress(RuntimeError):  # the loop is gone at shutdown
                try:
                    for event in stream:
                        loop.call_soon_threadsafe(offer, event)
                except HomeostatError as err:
                    end = err
                finally:
                    loop.call_soon_threadsafe(offer, end)

        threading.Thread(target=pump, name="docker-events", daemon=True).start()
        try:
            while (item := await queue.get()) is not None:
                if isinstance(item, HomeostatError):
                    raise item
                yield item
        finally:
            stream.close()

    async def close(self) -> None:
        self._is_closed = True
        if self._client is not None:
            self._client.close()

    async def _inspect(self, container_id: str) -> Container:
        path = f"/containers/{quote(container_id, safe='')}/json"
        return await self._call(lambda api: _asked_for(container_id, api.get(path, {}, _CALL_TIMEOUT_S)))

    async def _inspect_or_none(self, container_id: str) -> Container | None:
        try:
            return await self.inspect(container_id)
        except NotFound:  # removed between list and inspect
            return None

    async def _call(self, call: Callable[["DockerApi"], T], timeout_s: float = _CALL_TIMEOUT_S) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                await self._slots.acquire()  # given back by the thread: a hung engine holds at most all of them
                return await run_in_thread(functools.partial(self._blocking, call), self._slots.release)
        except TimeoutError:
            raise Unreachable(f"the Docker Engine did not answer within {timeout_s:g} s") from None

    def _blocking(self, call: Callable[["DockerApi"], T]) -> T:
        api = self._connected()
        with api.translated():
            return call(api)

    def _connected(self) -> "DockerApi":
        with self._connecting:
            if self._client is None:
                # Late, and in the thread that needs it: who never asks an engine does not pay for the SDK.
                from homeostat import dockerapi  # noqa: PLC0415 - 10 MB

                self._client = dockerapi.connect(self._host, _CALL_TIMEOUT_S)
            if self._is_closed:  # while this thread waited for the engine
                self._client.close()
                raise Unreachable("the connection to the Docker Engine has been closed")
            return self._client


class _EventStream:
    """The engine's event stream, opened and read by one thread and closed by another."""

    def __init__(self, connect: Callable[[], "DockerApi"], since: float) -> None:
        self._connect = connect
        self._since = since
        self._stream: EventStream | None = None
        self._is_closed = False

    def __iter__(self) -> Iterator[ContainerEvent]:
        api = self._connect()
        with api.translated():
            self._stream = api.events(self._since)
        if self._is_closed:
            self._stream.close()
        yield from self._stream

    def close(self) -> None:
        """End the reading thread: now, or as soon as the engine answers it."""
        self._is_closed = True
        if self._stream is not None:
            self._stream.close()


def _asked_for(container_id: str, raw: object) -> Container:
    """``raw`` decoded. Raises ValueError when it is about another one than asked for by id, a part of it, or name."""
    container = enginejson.container(raw)
    if not container.id.startswith(container_id) and container.name != container_id.lstrip("/"):
        raise ValueError(f"it is about {container.id[:12]}")
    return container
