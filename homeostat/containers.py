"""The only importer of the docker SDK: typed, threaded, bounded, every call under a deadline.

Never the storage driver, never the two-sample stats call; names and labels come from inspect.
"""

import asyncio
import contextlib
import dataclasses
import functools
import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import docker
import docker.errors
import requests
from docker.types.daemon import CancellableStream
from docker.utils import convert_filters, kwargs_from_env

from homeostat import names
from homeostat.clock import parse_rfc3339
from homeostat.errors import HomeostatError, NotFound, Permanent, Unreachable
from homeostat.threads import run_in_thread
from homeostat.workloads import PLAIN, is_workload_id

T = TypeVar("T")

#: Calls at once: enough to inspect a fleet quickly, too few to press a busy daemon.
_THREADS = 8
_CALL_TIMEOUT_S = 10.0
#: An event stream this long without a word is given up: its engine may be gone without a goodbye.
_QUIET_STREAM_S = 60.0
#: Events kept for a reader that falls behind; the oldest go first.
_EVENTS_KEPT = 1024
#: What the event stream is asked for; exec events of health checks would drown the rest.
_EVENTS = (
    "create",
    "start",
    "die",
    "kill",
    "stop",
    "oom",
    "pause",
    "unpause",
    "restart",
    "rename",
    "destroy",
    "health_status",
)


@dataclass(frozen=True, slots=True)
class Container:
    """One container as inspect tells it. Times are epoch seconds, None when it never happened."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    status: str  # created, running, paused, restarting, removing, exited, dead
    health: str  # none, starting, healthy, unhealthy
    exit_code: int
    oom_killed: bool
    restart_count: int
    restart_policy: str
    pid: int
    started_at: float | None
    finished_at: float | None
    memory_limit: int
    addresses: tuple[str, ...]
    #: The healthcheck's own start period, seconds.
    start_period_s: float
    #: The image's own stop signal, e.g. ``SIGQUIT``; empty for the engine's default.
    stop_signal: str = ""

    @property
    def is_running(self) -> bool:
        """Its process exists (a paused one does, a restarting one does not)."""
        return self.status in ("running", "paused")

    @property
    def workload_id(self) -> str:
        """``project/service`` from compose labels, else ``container/<name>``."""
        service = f"{self.labels.get(names.COMPOSE_PROJECT, '')}/{self.labels.get(names.COMPOSE_SERVICE, '')}"
        # Anybody can label a container: what cannot be a workload's id is not taken for one.
        return service if is_workload_id(service) else f"{PLAIN}/{self.name}"

    @property
    def is_oneoff(self) -> bool:
        """Made by ``docker compose run``: it carries the service's labels but is somebody's errand."""
        return self.labels.get(names.COMPOSE_ONEOFF, "").lower() == "true"


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """One event of the engine: a hint, never the truth (the engine drops events silently)."""

    container_id: str
    action: str
    signal: str
    at: float


class Engine(Protocol):
    """What homeostat asks of a container engine."""

    async def version(self) -> str: ...
    async def list(self, workload_id: str | None = None) -> list[Container]: ...
    async def inspect(self, container_id: str) -> Container: ...
    async def restart(self, container_id: str, grace_s: float | None, timeout_s: float) -> None: ...
    async def unpause(self, container_id: str) -> None: ...
    def events(self, since: float) -> AsyncGenerator[ContainerEvent, None]: ...
    async def close(self) -> None: ...


class DockerEngine:
    """Docker through its SDK. Raises Unreachable, NotFound or Permanent, never SDK errors."""

    def __init__(self, host: str | None = None) -> None:
        self._host = host
        self._slots = asyncio.Semaphore(_THREADS)
        self._client: docker.APIClient | None = None
        self._connecting = threading.Lock()
        self._is_closed = False

    async def version(self) -> str:
        """The engine's version, e.g. ``26.1.5``."""
        return str((await self._call(lambda api: api.version()))["Version"])

    async def list(self, workload_id: str | None = None) -> list[Container]:
        """All containers, also exited ones; of one workload when named. Vanished ones are left out."""
        filters: dict[str, Any] = {}
        project, _, service = (workload_id or "").partition("/")
        if workload_id and project == PLAIN:
            filters["name"] = [f"^/?{service}$"]
        elif workload_id:
            filters["label"] = [
                f"{names.COMPOSE_PROJECT}={project}",
                f"{names.COMPOSE_SERVICE}={service}",
            ]
        rows = await self._call(lambda api: api.containers(all=True, filters=filters))
        found = await asyncio.gather(*(self._inspect_or_none(row["Id"]) for row in rows))
        # The engine's name filter is a regular expression: a dot in a name would match its neighbours.
        return [c for c in found if c and not c.is_oneoff and workload_id in (None, c.workload_id)]

    async def inspect(self, container_id: str) -> Container:
        """Raises NotFound when it is gone."""
        raw = await self._call(lambda api: api.inspect_container(container_id))
        container = _container(raw)
        mode = str(raw["HostConfig"].get("NetworkMode", ""))
        if container.is_running and mode.startswith("container:"):  # it is reached where its network's owner is
            with contextlib.suppress(NotFound):
                owner = await self.inspect(mode.removeprefix("container:"))
                return dataclasses.replace(container, addresses=owner.addresses)
        return container

    async def restart(self, container_id: str, grace_s: float | None, timeout_s: float) -> None:
        """Restart; ``grace_s`` None keeps the container's own stop timeout."""
        # The SDK's restart() always sends a grace of its own, which would override the container's.
        params = {} if grace_s is None else {"t": round(grace_s)}

        def call(api: docker.APIClient) -> None:
            _checked(api.post(_url(api, f"/containers/{container_id}/restart"), params=params, timeout=timeout_s))

        await self._call(call, timeout_s)

    async def unpause(self, container_id: str) -> None:
        await self._call(lambda api: api.unpause(container_id))

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

    async def _inspect_or_none(self, container_id: str) -> Container | None:
        try:
            return await self.inspect(container_id)
        except NotFound:  # removed between list and inspect
            return None

    async def _call(self, call: Callable[["docker.APIClient"], T], timeout_s: float = _CALL_TIMEOUT_S) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                await self._slots.acquire()  # given back by the thread: a hung engine holds at most all of them
                return await run_in_thread(functools.partial(self._blocking, call), self._slots.release)
        except TimeoutError:
            raise Unreachable(f"the Docker Engine did not answer within {timeout_s:g} s") from None

    def _blocking(self, call: Callable[["docker.APIClient"], T]) -> T:
        with _translated():
            return call(self._connected())

    def _connected(self) -> "docker.APIClient":
        with self._connecting:
            if self._client is None:
                options = {"base_url": self._host} if self._host else kwargs_from_env()
                self._client = docker.APIClient(version="auto", timeout=int(_CALL_TIMEOUT_S), **options)
            if self._is_closed:  # while this thread waited for the engine
                self._client.close()
                raise Unreachable("the connection to the Docker Engine has been closed")
            return self._client


class _EventStream:
    """The engine's event stream, read by one thread and closed by another."""

    def __init__(self, connect: Callable[[], "docker.APIClient"], since: float) -> None:
        self._connect = connect
        self._since = since
        self._stream: CancellableStream[bytes] | None = None
        self._is_closed = False

    def __iter__(self) -> Iterator[ContainerEvent]:
        with _translated():
            response = self._open()
        with contextlib.closing(response):
            self._stream = CancellableStream(response.iter_lines(), response)
            if self._is_closed:
                self.close()
            # A stream that breaks or falls silent has ended, that is all: the poll is the truth.
            with contextlib.suppress(requests.RequestException, OSError, ValueError):
                for line in self._stream:
                    if line:
                        yield _event(json.loads(line))

    def close(self) -> None:
        """End the reading thread: now, or as soon as the engine answers it."""
        self._is_closed = True
        if self._stream is not None:
            with contextlib.suppress(OSError, AttributeError):  # it has ended by itself
                self._stream.close()

    def _open(self) -> requests.Response:
        # Not the SDK's events(): it sets no timeout, so that a hung engine would keep the thread for good.
        api = self._connect()
        filters = str(convert_filters({"type": "container", "event": list(_EVENTS)}))
        params = {"since": str(int(self._since)), "filters": filters}
        response = api.get(_url(api, "/events"), params=params, stream=True, timeout=_QUIET_STREAM_S)
        _checked(response)
        return response


def _url(api: "docker.APIClient", path: str) -> str:
    return f"{api.base_url}/v{api.api_version}{path}"


def _checked(response: requests.Response) -> None:
    try:
        response.raise_for_status()
    except requests.HTTPError as err:
        docker.errors.create_api_error_from_http_exception(err)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except docker.errors.NotFound as err:
        raise NotFound(str(err.explanation)) from err
    except docker.errors.APIError as err:
        if err.is_server_error():
            raise Unreachable(f"the Docker Engine failed: {err.explanation}") from err
        raise Permanent(f"the Docker Engine refused: {err.explanation}") from err
    except (docker.errors.DockerException, requests.RequestException, OSError) as err:
        raise Unreachable(f"no Docker Engine answers: {err}") from err


def _container(raw: Mapping[str, Any]) -> Container:
    state, config, host = raw["State"], raw["Config"], raw["HostConfig"]
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = tuple(n["IPAddress"] for n in networks.values() if n.get("IPAddress"))
    if host.get("NetworkMode") == "host":
        addresses = ("127.0.0.1",)
    healthcheck = config.get("Healthcheck") or {}
    return Container(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        image=config.get("Image", ""),
        labels=config.get("Labels") or {},
        status=state["Status"],
        health=(state.get("Health") or {}).get("Status") or "none",
        exit_code=state["ExitCode"],
        oom_killed=bool(state.get("OOMKilled")),
        restart_count=raw.get("RestartCount", 0),
        restart_policy=(host.get("RestartPolicy") or {}).get("Name", "no"),
        pid=state.get("Pid", 0),
        started_at=_time(state.get("StartedAt", "")),
        finished_at=_time(state.get("FinishedAt", "")),
        memory_limit=host.get("Memory", 0),
        addresses=addresses,
        start_period_s=healthcheck.get("StartPeriod", 0) / 1e9,
        stop_signal=config.get("StopSignal", ""),
    )


def _time(text: str) -> float | None:
    return parse_rfc3339(text) if text else None


def _event(raw: Mapping[str, Any]) -> ContainerEvent:
    actor = raw.get("Actor") or {}
    return ContainerEvent(
        container_id=actor.get("ID", ""),
        action=str(raw.get("Action", "")),
        signal=(actor.get("Attributes") or {}).get("signal", ""),
        at=raw.get("timeNano", 0) / 1e9,
    )
