"""Runs every probe of every enabled workload at its own pace and keeps the last results."""

import asyncio
import dataclasses
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import aiohttp
import structlog

from exporters.catalog import Entry
from exporters.probetally import Tally
from homeostat.directory import resolve_probe
from homeostat.errors import Temporary
from homeostat.probes import Probe, ProbeContext, ProbeResult, open_probe
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


@dataclass(frozen=True, slots=True)
class Observation:
    """The last result (None before the first), its wall time, and the monotonic time by which the next is due."""

    result: ProbeResult | None
    at: float
    due: float
    spec: ProbeSpec
    tally: Tally = field(default_factory=Tally)

    @property
    def healthy(self) -> bool | None:
        """After the thresholds. None before the first result, and while checks cannot be made."""
        return None if self.result is None or self.result.ok is None else self.tally.healthy


class Prober:
    """One task per target, which checks it at most once at a time: what a target costs is bounded by what is planned.

    There is no other limit to checks at the same time. Slots would be taken by those that hang, and the good ones would
    wait for them. A check that hangs holds one socket (a command: one process tree, and only homeostat.yml can name
    any); when this process runs out of either, a check says that it could not be made, and not that its target is bad.

    ``entries`` gives the same object while nothing has changed.
    """

    def __init__(
        self,
        entries: Callable[[], tuple[Entry, ...]],
        context: ProbeContext,
        opener: Callable[[ProbeSpec, ProbeContext], Probe] = open_probe,
    ) -> None:
        self._entries = entries
        self._context = context
        self._open = opener
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
            self._tasks[target] = group.create_task(self._keep_open(target))

    async def _keep_open(self, target: Target) -> None:
        probe = self._open(target.spec, self._context)
        try:
            await self._repeat(target, probe)
        finally:
            await probe.close()

    async def _repeat(self, target: Target, probe: Probe) -> None:
        spec = target.spec
        wait_s = spread(target)
        due = self._clock.monotonic() + wait_s
        last = self._last.get(target.key, Observation(None, 0.0, 0.0, spec))
        self._last[target.key] = dataclasses.replace(last, due=_deadline(spec, due), spec=spec)
        while True:
            await self._clock.sleep(wait_s)
            result = await self._check(target, probe)
            last = self._last[target.key]
            _tell(target.key, last.result, result)
            now = self._clock.monotonic()
            # Late runs are not made up for: a slow target must not be pressed.
            due = max(due + spec.interval_s, now)
            tally = last.tally.add(result, spec)
            self._last[target.key] = Observation(result, self._clock.now(), _deadline(spec, now), spec, tally)
            wait_s = due - now

    async def _check(self, target: Target, probe: Probe) -> ProbeResult:
        try:
            return await probe.check()
        except Exception as err:  # a worker loop: one bad target must not end the probes of the others
            log.exception("probe.broken", workload=target.key.workload, probe=target.key.probe)
            return ProbeResult(ok=None, reason=type(err).__name__, seconds=0.0)


def plan(entries: Iterable[Entry]) -> set[Target]:
    """What to probe: per enabled workload, each probe once, or once per running container when it goes there.

    Of several with one name, which would be one series, the first.
    """
    planned: dict[ProbeKey, Target] = {}
    for entry in entries:
        if entry.workload.enabled:
            for spec in entry.workload.probes:
                for target in _targets(entry, spec):
                    planned.setdefault(target.key, target)
    return set(planned.values())


def _targets(entry: Entry, spec: ProbeSpec) -> list[Target]:
    workload = entry.workload
    if (elsewhere := resolve_probe(spec, None)) is not None:
        return [Target(ProbeKey(workload.id, "", spec.name), elsewhere)]
    if workload.kind is Kind.PROCESS:  # it has no address of its own, and a wrong failure would restart it
        return []
    # One without an address cannot be looked at from here, which says nothing of how it is.
    resolved = ((c, resolve_probe(spec, c)) for c in entry.containers if c.is_running)
    return [Target(ProbeKey(workload.id, c.name, spec.name), probe) for c, probe in resolved if probe is not None]


def spread(target: Target) -> float:
    """Seconds before the first run: always the same for one probe, different for others: they do not beat together."""
    key = target.key
    share = zlib.crc32(f"{key.workload} {key.container} {key.probe}".encode()) / 2**32
    return share * min(target.spec.interval_s, _SPREAD_MAX_S)


def new_session() -> aiohttp.ClientSession:
    """For questions to Prometheus: a new connection each time, and nothing remembered from one to the next."""
    # No limit of its own: every probe has one connection at most, and hanging ones must not keep others waiting.
    connector = aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


def _tell(key: ProbeKey, before: ProbeResult | None, result: ProbeResult) -> None:
    if before is None or before.ok != result.ok:
        log.info("probe.changed", **dataclasses.asdict(key), ok=result.ok, reason=result.reason)


def _deadline(spec: ProbeSpec, start: float) -> float:
    return start + 3 * spec.interval_s + spec.timeout_s + _LATE_S
