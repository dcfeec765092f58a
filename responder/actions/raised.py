"""Limits of a container: how far they may be raised, and what of it is still as we set it. Pure."""

from dataclasses import dataclass

from homeostat.containers import Container, ContainerStats, EngineHost
from homeostat.steps import LimitsStep

#: Of the machine's memory. The rest is for the kernel and for everybody else.
HOST_SHARE = 0.8
#: Files that the kernel keeps in memory for a container, by its names on cgroup v1 and v2: it can give them back.
_FILES = (("total_inactive_file", "total_active_file"), ("inactive_file", "active_file"))


@dataclass(frozen=True, slots=True)
class Limits:
    """As :class:`~homeostat.containers.Container` has them; None for one that is left as it is."""

    memory: int | None = None
    memory_swap: int | None = None
    nano_cpus: int | None = None


@dataclass(frozen=True, slots=True)
class Raise:
    """One container's limits as they were and as we set them. ``words``: for the ledger."""

    id: str
    name: str
    was: Limits
    set: Limits
    words: str


@dataclass(frozen=True, slots=True)
class _New:
    """A limit to set, and what there is to say of it."""

    value: int
    words: str


def plan_raise(step: LimitsStep, container: Container, host: EngineHost) -> Raise | str:
    """What to set; or in words why nothing. The same every time for the same container."""
    if container.status != "running":
        return f"{container.name} is {container.status}"
    memory = _new_memory(step, container.memory_limit, host)
    cpus = _new_cpus(step, container.nano_cpus, host)
    if isinstance(memory, str) and isinstance(cpus, str):
        return f"{container.name} {' and '.join(words for words in (memory, cpus) if words)}"
    was, new = Limits(), Limits()
    if isinstance(memory, _New):
        swap = container.memory_swap or None  # 0 from an engine that cannot limit it
        # The same allowance of swap on top; -1 is no limit.
        new_swap = swap + memory.value - container.memory_limit if swap and swap > 0 else swap
        was, new = Limits(container.memory_limit, swap), Limits(memory.value, new_swap)
    if isinstance(cpus, _New):
        was = Limits(was.memory, was.memory_swap, container.nano_cpus)
        new = Limits(new.memory, new.memory_swap, cpus.value)
    words = ", ".join(each if isinstance(each, str) else each.words for each in (memory, cpus) if each)
    return Raise(container.id, container.name, was, new, f"{container.name} {words}")


def still_ours(raised: Raise, container: Container) -> Limits:
    """What has to be put back: as it was, of what is still as we set it."""
    is_memory, is_cpus = _matches(raised.set, container)
    was = raised.was
    return Limits(
        was.memory if is_memory else None, was.memory_swap if is_memory else None, was.nano_cpus if is_cpus else None
    )


def is_as_before(raised: Raise, container: Container) -> bool:
    """Whether nothing of it is raised: put back already, or never done."""
    is_memory, is_cpus = _matches(raised.was, container)
    return (is_memory or raised.was.memory is None) and (is_cpus or raised.was.nano_cpus is None)


def _matches(limits: Limits, container: Container) -> tuple[bool, bool]:
    """Whether the container has these limits of memory, and these of the CPU."""
    has = (container.memory_limit, container.memory_swap or None)
    is_memory = limits.memory is not None and has == (limits.memory, limits.memory_swap)
    return is_memory, limits.nano_cpus is not None and container.nano_cpus == limits.nano_cpus


def used_bytes(stats: ContainerStats) -> int | None:
    """Memory that the kernel cannot just take from the container; None when the engine does not tell."""
    if stats.memory_usage is None:
        return None
    files = next((pair for pair in _FILES if pair[0] in stats.memory), ())
    return max(stats.memory_usage - sum(stats.memory.get(name, 0) for name in files), 0)


def mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"


def _new_memory(step: LimitsStep, now: int, host: EngineHost) -> _New | str:
    """Text: why not; empty when nobody asked for it."""
    if step.memory is None:
        return ""
    if not now:
        return "has no memory limit"
    wanted, of_host = int(now * step.memory), int(host.memory_bytes * HOST_SHARE)
    new = min(wanted, step.memory_max or wanted, of_host)
    if new <= now:
        return f"has {mib(now)} of memory, and may have no more"
    cap = f"{HOST_SHARE:.0%} of the machine's memory" if new == of_host else "memory_max"
    capped = f" ({mib(wanted)}, but for {cap})" if new < wanted else ""
    return _New(new, f"memory {mib(now)} -> {mib(new)}{capped}")


def _new_cpus(step: LimitsStep, now: int, host: EngineHost) -> _New | str:
    if step.cpu is None:
        return ""
    if not now:
        return "has no limit of cores"  # one that was set as a quota of time is not understood
    wanted, of_host = int(now * step.cpu), int(host.cpus * 1e9)
    new = min(wanted, int((step.cpu_max or host.cpus) * 1e9), of_host)
    if new <= now:
        return f"has {now / 1e9:g} cores, and may have no more"
    cap = "the machine's cores" if new == of_host else "cpu_max"
    capped = f" ({wanted / 1e9:g}, but for {cap})" if new < wanted else ""
    return _New(new, f"cores {now / 1e9:g} -> {new / 1e9:g}{capped}")
