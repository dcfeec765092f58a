"""Runs every probe of every enabled workload at its own pace and keeps the last results."""

import asyncio
import dataclasses
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import aiohttp
import structlog

from exporters.catalog import Entry
from homeostat.directory import resolve_probe
from homeostat.errors import Temporary
from homeostat.probes import ProbeContext, ProbeResult, run_probe
from homeostat.workloads import Kind, ProbeSpec

log = structlog.get_logger()

#: Changes of workloads and addresses are followed within this time.
FOLLOW_S = 0.5
#: First runs are spread over one interval, but nobody waits longer than this for a first result.
_SPREAD_MAX_S = 10.0
#: A probe that has said nothing for three intervals, its timeout and this long is not being run.
_LATE_S = 5.0


@dataclass(frozen=True, slots=True)
class ProbeKey:
    """``container`` is empty when the probe does not go to one container."""

    workload: str
    container: str
    probe: str


@dataclass(frozen=True, slots=True)
class Target:
    """``spec`` has a host."""

    key: ProbeKey
    spec: ProbeSpec
    interval_s: float
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """The last result (None before the first), its wall time, and the monotonic time by which the next is due."""

    result: ProbeResult | None
    at: float
    due: float


class Prober:
    """``entries`` gives the same object while nothing has changed."""

    def __init__(self, entries: Callable[[], tuple[Entry, ...]], context: ProbeContext) -> None:
        self._entries = entries
        self._context = context
        self._clock = context.clock
        self._followed: tuple[Entry, ...] | None = None
        self._tasks: dict[Target, asyncio.Task[None]] = {}
        self._last: dict[ProbeKey, Observation] = {}

    def observations(self) -> dict[ProbeKey, Observation]:
        """The last results. Raises Temporary when probes stand still: old results must not pass for new ones."""
        now = self._clock.monotonic()
        late = [key for key, observation in self._last.items() if now > observation.due]
        if late:
            raise Temporary(f"{len(late)} probes stand still, among them {late[0].probe!r} of {late[0].workload}")
        return dict(self._last)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._follow(group)
                await self._clock.sleep(FOLLOW_S)

    def _follow(self, group: asyncio.TaskGroup) -> None:
        entries = self._entries()
        if entries is self._followed:
            return
        self._followed = entries
        wanted = plan(entries)
        for target in self._tasks.keys() - wanted:
            self._tasks.pop(target).cancel()
        keys = {target.key for target in wanted}
        self._last = {key: observation for key, observation in self._last.items() if key in keys}
        for target in wanted - self._tasks.keys():
            self._tasks[target] = group.create_task(self._repeat(target))

    async def _repeat(self, target: Target) -> None:
        last = self._last.get(target.key, Observation(None, 0.0, 0.0))
        wait_s = spread(target)
        due = self._clock.monotonic() + wait_s
        self._last[target.key] = dataclasses.replace(last, due=_deadline(target, due))
        while True:
            await self._clock.sleep(wait_s)
            result = await self._check(target)
            self._tell(target.key, result)
            now = self._clock.monotonic()
            # Late runs are not made up for: a slow target must not be pressed.
            due = max(due + target.interval_s, now)
            self._last[target.key] = Observation(result, self._clock.now(), _deadline(target, now))
            wait_s = due - now

    async def _check(self, target: Target) -> ProbeResult:
        try:
            return await run_probe(target.spec, self._context)
        except Exception as err:  # a worker loop: one bad target must not end the probes of the others
            log.exception("probe.broken", workload=target.key.workload, probe=target.key.probe)
            return ProbeResult(ok=False, reason=type(err).__name__, seconds=0.0)

    def _tell(self, key: ProbeKey, result: ProbeResult) -> None:
        before = self._last[key].result
        if before is None or before.ok != result.ok:
            log.info("probe.changed", **dataclasses.asdict(key), ok=result.ok, reason=result.reason)


def plan(entries: Iterable[Entry]) -> set[Target]:
    """What to probe: per enabled workload, each probe once, or once per running container when it goes there."""
    return {
        target
        for entry in entries
        if entry.workload.enabled
        for spec in entry.workload.probes
        for target in _targets(entry, spec)
    }


def _targets(entry: Entry, spec: ProbeSpec) -> list[Target]:
    if not spec.target.startswith(":"):
        return [_target(entry, "", spec, spec)]
    if entry.workload.kind is Kind.PROCESS:  # it has no address of its own, and a wrong failure would restart it
        return []
    # One without an address cannot be looked at from here, which says nothing of how it is.
    resolved = ((c, resolve_probe(spec, c)) for c in entry.containers if c.is_running)
    return [_target(entry, c.name, spec, probe) for c, probe in resolved if probe is not None]


def _target(entry: Entry, container: str, spec: ProbeSpec, resolved: ProbeSpec) -> Target:
    key = ProbeKey(entry.workload.id, container, spec.name)
    return Target(key, resolved, spec.interval_s, spec.timeout_s)


def spread(target: Target) -> float:
    """Seconds before the first run: always the same for one probe, different for others: they do not beat together."""
    key = target.key
    share = zlib.crc32(f"{key.workload} {key.container} {key.probe}".encode()) / 2**32
    return share * min(target.interval_s, _SPREAD_MAX_S)


def new_session() -> aiohttp.ClientSession:
    """For probes from outside: a new connection each time, and nothing remembered from one to the next."""
    # No limit of its own: every probe has one connection at most, and hanging ones must not keep others waiting.
    connector = aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


def _deadline(target: Target, start: float) -> float:
    return start + 3 * target.interval_s + target.timeout_s + _LATE_S
