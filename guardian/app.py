"""The composition root: one guardian for one state folder, from its start to its end."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from guardian import logs
from guardian.adopt import find_live
from guardian.child import Launcher
from guardian.control import control_app, serve_control
from guardian.escalate import Notify
from guardian.metrics import metrics_app
from guardian.model import Supervised, Tools
from guardian.state import Record, StateFile
from guardian.supervise import Supervisor
from guardian.usage import UsageReader
from homeostat.clock import Clock
from homeostat.errors import Permanent, Temporary
from homeostat.platforms import Platform, boot_id, control_socket_path, private_folder
from homeostat.probes import ProbeContext
from homeostat.processes import Processes
from homeostat.quantities import host_port

log = structlog.get_logger()

_LOG_CHECK_S = 30.0
#: For all that blocks (/proc, the state file, starting processes). Few: each costs memory.
_THREADS = 4
#: For answers on their way when a server ends.
_SHUTDOWN_S = 0.5
#: For processes that are no longer in the settings: their own grace is gone with them.
_REMOVED_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Config:
    """What one guardian is told. ``state_dir``: absolute; the caller holds its lock."""

    processes: Sequence[Supervised]
    state_dir: Path
    listen: str
    environ: Mapping[str, str]
    notify: Notify | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """The machine."""

    platform: Platform
    processes: Processes
    clock: Clock


class ListenError(Permanent):
    """Somebody else has the address."""


async def run(config: Config, host: Host, end: asyncio.Future[bool]) -> None:
    """Keep all processes alive until ``end`` has a result: whether they go on without the guardian.

    Raises ListenError, and OSError when it cannot read its state; nothing was started then.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    state = StateFile(config.state_dir, await asyncio.to_thread(boot_id))
    records = await asyncio.to_thread(state.load)
    async with _checking_session() as session:
        tools = _tools(config, host, session, state)
        supervisors = [Supervisor(process, tools) for process in config.processes]
        removed = await _resume(supervisors, records, tools)  # before anybody can ask what runs
        async with _serving(supervisors, config, host, end) as ended:
            log.info("guardian.started", processes=len(supervisors), listen=config.listen)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(supervisor.run()) for supervisor in supervisors]
                tasks.append(group.create_task(_bound_logs(config.state_dir, host.clock)))
                tasks += [group.create_task(_end_removed(name, records.get(name, Record()), tools)) for name in removed]
                keep = await end
                log.info("guardian.ending", keep=keep)
                for task in tasks:
                    task.cancel()
            await _end(supervisors, keep=keep)
            ended.set()
    log.info("guardian.ended")


async def _end(supervisors: Iterable[Supervisor], *, keep: bool) -> None:
    if keep:
        for supervisor in supervisors:
            supervisor.leave()
    else:
        await asyncio.gather(*(supervisor.shut_down() for supervisor in supervisors))


def _tools(config: Config, host: Host, session: aiohttp.ClientSession, state: StateFile) -> Tools:
    return Tools(
        launcher=Launcher(
            processes=host.processes,
            clock=host.clock,
            state_dir=config.state_dir,
            environ=config.environ,
            has_pidfd=host.platform.has_pidfd,
        ),
        probes=ProbeContext(session, host.clock),
        usage=UsageReader(host.processes, host.clock),
        state=state,
        random=random.random,
        notify=config.notify,
    )


def _checking_session() -> aiohttp.ClientSession:
    # A fresh connection for each check: an old one would not notice that no new ones are accepted.
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


@contextlib.asynccontextmanager
async def _serving(
    supervisors: Sequence[Supervisor], config: Config, host: Host, end: asyncio.Future[bool]
) -> AsyncIterator[asyncio.Event]:
    """Both servers. The event is to be set when the processes have ended: a shutdown is answered then."""
    ended = asyncio.Event()

    async def shut_down(keep: bool) -> None:
        if not end.done():
            end.set_result(keep)
        await ended.wait()

    socket = await asyncio.to_thread(control_socket_path, config.state_dir, host.platform)
    if host.platform.has_unix_sockets and socket.parent != config.state_dir:
        await asyncio.to_thread(private_folder, socket.parent)
    control = control_app({s.process.name: s for s in supervisors}, shut_down)
    metrics = metrics_app(supervisors, host.clock)
    async with serve_control(control, socket, host.platform), _serve_metrics(metrics, config.listen):
        yield ended


@contextlib.asynccontextmanager
async def _serve_metrics(app: web.Application, listen: str) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, *host_port(listen)).start()
        except OSError as err:
            raise ListenError(f"cannot listen on {listen}: {err.strerror}; change `listen`") from err
        yield
    finally:
        await runner.cleanup()


async def _resume(supervisors: Sequence[Supervisor], records: Mapping[str, Record], tools: Tools) -> set[str]:
    """Adopt what runs already. Returns the names of processes that nobody wants any more."""
    marked = await tools.launcher.marked()
    rows = await asyncio.to_thread(tools.launcher.processes.rows)
    for supervisor in supervisors:
        name = supervisor.process.name
        record = records.get(name, Record())
        await supervisor.resume(record, find_live(record, marked.get(name, set()), rows))
    return (records.keys() | marked.keys()) - {s.process.name for s in supervisors}


async def _end_removed(name: str, record: Record, tools: Tools) -> None:
    log.warning("process.removed", process=name, reason="it is no longer in the settings")
    try:
        known = {record.process} if record.process is not None else set()
        await tools.launcher.end_leftovers(name, _REMOVED_GRACE_S, known)
    except Temporary as err:
        log.error("process.removal_failed", process=name, error=str(err))  # noqa: TRY400 - the kernel, no bug
    else:
        await tools.state.put(name, None)


async def _bound_logs(state_dir: Path, clock: Clock) -> None:
    """All of them: that of a guardian in the background too."""
    while True:
        await clock.sleep(_LOG_CHECK_S)
        try:
            for path in await asyncio.to_thread(logs.bound, state_dir):
                log.info("log.truncated", path=str(path))
        except OSError as err:
            log.warning("log.truncate_failed", error=str(err))
