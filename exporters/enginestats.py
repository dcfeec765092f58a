"""What the engine measures of containers whose cgroups cannot be found from here (Docker Desktop, Windows, elsewhere).

It needs milliseconds for each, so it is asked in the background, never by a scrape: for one sample, never for two.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from exporters.cgroups.samples import CgroupDetail, CgroupSample, Cpu, Io, Memory, ResourceSample
from homeostat.clock import Clock
from homeostat.containers import ContainerStats, Engine
from homeostat.errors import HomeostatError, NotFound

log = structlog.get_logger()

REFRESH_S = 12.0
#: Older samples are no samples: three rounds.
STALE_S = 40.0
#: Half of the calls that the engine's client makes at once: who watches containers must not wait for this.
_AT_ONCE = 4
_CALL_TIMEOUT_S = 5.0
#: What an engine does not tell in this time is left for the next round.
_ROUND_S = 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What an engine told of one container, and when, by the monotonic clock."""

    at: float
    sample: CgroupSample
    resources: ResourceSample


class EngineStats:
    """Keeps samples of the containers that are asked for."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._asked_at: dict[str, float] = {}
        self._last: dict[str, Measured] = {}
        self._is_told = False

    def latest(self, container_ids: Iterable[str]) -> dict[str, Measured]:
        """What is known of them and not stale. Who is asked for is measured from the next round on."""
        now = self._clock.monotonic()
        wanted = list(container_ids)
        self._asked_at |= dict.fromkeys(wanted, now)
        found = {key: self._last[key] for key in wanted if key in self._last}
        return {key: measured for key, measured in found.items() if now - measured.at <= STALE_S}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(REFRESH_S)
            await self._refresh()

    async def _refresh(self) -> None:
        now = self._clock.monotonic()
        self._asked_at = {key: at for key, at in self._asked_at.items() if now - at <= STALE_S}
        self._last = {key: measured for key, measured in self._last.items() if key in self._asked_at}
        slots = asyncio.Semaphore(_AT_ONCE)
        # Those whose news is oldest come first: a round that is cut off must not always miss the same ones.
        oldest_first = sorted(self._asked_at, key=lambda key: self._last[key].at if key in self._last else 0.0)
        try:
            async with asyncio.timeout(_ROUND_S):
                failures = await asyncio.gather(*(self._measure(key, slots) for key in oldest_first))
        except TimeoutError:
            failures = [f"it did not answer for all containers within {_ROUND_S:g} s"]
        self._tell([failure for failure in failures if failure])

    async def _measure(self, container_id: str, slots: asyncio.Semaphore) -> str:
        """Keep what the engine tells. Returns why it told nothing."""
        async with slots:
            try:
                stats = await self._engine.stats(container_id, _CALL_TIMEOUT_S)
            except NotFound:
                return ""
            except HomeostatError as err:
                return str(err)
        self._last[container_id] = Measured(self._clock.monotonic(), sample_of(stats), resources_of(stats))
        return ""

    def _tell(self, failures: list[str]) -> None:
        if failures and not self._is_told:
            log.warning("containers.not_measured", count=len(failures), reason=failures[0])
        self._is_told = bool(failures)


def sample_of(stats: ContainerStats) -> CgroupSample:
    """The same figures as from cgroups. The limit is left to inspect: here it is the machine's when there is none."""
    return CgroupSample(
        anon=_first(stats.memory, "anon", "total_rss"),
        shmem=_first(stats.memory, "shmem", "total_shmem"),
        usage=stats.memory_usage,
        limit=None,
        oom_kills=None,
        cpu_seconds=stats.cpu_seconds,
        pids=stats.pids,
    )


def resources_of(stats: ContainerStats) -> ResourceSample:
    """The same, of the rest. What the engine does not tell is left out: pressure, open files, limits of the CPU."""
    inactive_file = _first(stats.memory, "total_inactive_file", "inactive_file")
    is_told = stats.memory_usage is not None and inactive_file is not None
    detail = CgroupDetail(
        cpu=Cpu(
            periods=stats.cpu_periods,
            throttled_periods=stats.cpu_throttled_periods,
            throttled_seconds=stats.cpu_throttled_seconds,
        ),
        memory=Memory(
            file=_first(stats.memory, "file", "total_cache"),
            kernel=stats.memory.get("slab_unreclaimable"),
            working_set=max((stats.memory_usage or 0) - (inactive_file or 0), 0) if is_told else None,
            swap=stats.memory.get("total_swap"),
            max_events=stats.memory_failures,
        ),
        io=Io(stats.read_bytes, stats.written_bytes, stats.reads, stats.writes),
        pids_limit=stats.pids_limit,
    )
    return ResourceSample(detail, networks=stats.networks)


def _first(table: Mapping[str, int], *keys: str) -> int | None:
    return next((table[key] for key in keys if key in table), None)
