"""Groups of processes that settings name (``exporter.process_groups``), whoever started them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from exporters.processgroups import GroupSample
from exporters.sources import Sources
from homeostat.families import Family, Metric, counter, gauge, labels

#: What a metric says of one group; None when there is nothing to say.
Value = Callable[[GroupSample], float | None]

_GROUP = "group"
_SINCE = "since the exporter started; what ended members used stays counted"
_UNSEEN = "absent when the exporter may not see it of every member"


def _gauge(name: str, help_text: str) -> Metric:
    return gauge(f"homeostat_process_group_{name}", help_text, _GROUP)


def _counter(name: str, help_text: str) -> Metric:
    return counter(f"homeostat_process_group_{name}", help_text, _GROUP)


_STATES = gauge(
    "homeostat_process_group_states",
    "Processes by what they do; blocked: waits in the kernel, and no signal reaches it.",
    _GROUP,
    "state",
)
_SWITCHES = counter(
    "homeostat_process_group_context_switches_total",
    f"Context switches of main threads, voluntary (it waited) or involuntary (others had to run), {_SINCE}.",
    _GROUP,
    "kind",
)

#: One row per metric of one value. Adding one is adding a row.
VALUES: tuple[tuple[Metric, Value], ...] = (
    (_gauge("processes", "Processes of the group, without zombies; 0 when none runs."), lambda g: g.processes),
    (_counter("cpu_seconds_total", f"CPU time, {_SINCE}."), lambda g: g.cpu_seconds),
    (
        _gauge("resident_memory_bytes", "Resident memory of all; what members share is counted for each."),
        lambda g: g.resident_bytes,
    ),
    (
        _gauge("anon_memory_bytes", "Anonymous resident memory of all: what leaks. Linux only."),
        lambda g: g.anon_bytes,
    ),
    (_gauge("threads", "Threads of all."), lambda g: g.threads),
    (_gauge("open_fds", f"Open file descriptors of all; {_UNSEEN}."), lambda g: g.open_fds),
    (
        _gauge("worst_fd_ratio", f"Largest share of its own soft limit that any member has open; {_UNSEEN}."),
        lambda g: g.worst_fd_ratio,
    ),
    (
        _gauge("oldest_start_timestamp_seconds", "When the oldest member was started; absent without members."),
        lambda g: g.oldest_start,
    ),
)
METRICS: tuple[Metric, ...] = (_STATES, _SWITCHES, *(metric for metric, _ in VALUES))


def make(sources: Sources) -> "ProcessGroupsCollector | None":
    sample = sources.machine.process_groups
    return None if sample is None else ProcessGroupsCollector(sample)


@dataclass(frozen=True, slots=True)
class ProcessGroupsCollector:
    """``sample``: all groups as of now."""

    sample: Callable[[], Awaitable[Mapping[str, GroupSample]]]

    @property
    def name(self) -> str:
        return "process_groups"

    async def collect(self) -> list[Family]:
        return families(await self.sample())


def families(groups: Mapping[str, GroupSample]) -> list[Family]:
    """All families over all groups."""
    states, switches = _STATES.family(), _SWITCHES.family()
    for name, group in groups.items():
        for state, count in group.states.items():
            states.add(labels({_GROUP: name, "state": state}), count)
        switches.add(labels({_GROUP: name, "kind": "voluntary"}), group.voluntary_switches)
        switches.add(labels({_GROUP: name, "kind": "involuntary"}), group.involuntary_switches)
    rendered = [labels({_GROUP: name}) for name in groups]
    found = [states, switches]
    for metric, value_of in VALUES:
        pairs = ((labels_, value_of(group)) for labels_, group in zip(rendered, groups.values(), strict=True))
        found.append(metric.family((labels_, value) for labels_, value in pairs if value is not None))
    return found
