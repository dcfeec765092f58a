"""The clock: whether it is kept right, and how far the Docker Engine's is from it."""

from dataclasses import dataclass

from exporters.host.engineclock import EngineClock
from exporters.host.timex import AdjTimex, ask_kernel
from exporters.sources import Sources
from homeostat.families import Family, Metric, gauge, labels

_SYNCHRONIZED = gauge(
    "homeostat_host_clock_synchronized",
    "Whether the kernel's clock is kept by NTP, as its daemon has told the kernel. Linux only.",
)
_OFFSET = gauge(
    "homeostat_host_clock_offset_seconds",
    "How far the source is ahead of this host's clock: docker, the engine's clock, asked once a minute; "
    "ntp, what the kernel has still to correct.",
    "source",
)
_MAX_ERROR = gauge("homeostat_host_clock_max_error_seconds", "How wrong the offset can be at most.", "source")
METRICS: tuple[Metric, ...] = (_SYNCHRONIZED, _OFFSET, _MAX_ERROR)

_DOCKER = labels({"source": "docker"})
_NTP = labels({"source": "ntp"})


def make(sources: Sources) -> "ClockCollector | None":
    if sources.machine.engine_clock is None and sources.machine.adjtimex is None:
        return None
    return ClockCollector(sources.machine.engine_clock, sources.machine.adjtimex)


@dataclass(frozen=True, slots=True)
class ClockCollector:
    """``engine`` is None without Docker; ``adjtimex`` where the system has none."""

    engine: EngineClock | None
    adjtimex: AdjTimex | None

    @property
    def name(self) -> str:
        return "clock"

    async def collect(self) -> list[Family]:
        synchronized, offset, max_error = _SYNCHRONIZED.family(), _OFFSET.family(), _MAX_ERROR.family()
        skew = self.engine.skew() if self.engine is not None else None
        if skew is not None:
            offset.add(_DOCKER, skew.offset_s)
            max_error.add(_DOCKER, skew.max_error_s)
        # A system call that cannot block.
        kernel = ask_kernel(self.adjtimex) if self.adjtimex is not None else None
        if kernel is not None:
            synchronized.add("", kernel.is_synchronized)
            offset.add(_NTP, kernel.offset_s)
            max_error.add(_NTP, kernel.max_error_s)
        return [synchronized, offset, max_error]
