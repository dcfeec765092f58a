"""The engine's own measurement of a container, from JSON: Linux on cgroup v1 or v2, Windows, and Podman's shorter form.

Source: Docker Engine API v1.41 to v1.52, ContainerStats; Podman, pkg/api/handlers/compat/containers_stats_linux.go.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from homeostat.containerinfo import ContainerStats, NetworkCounters
from homeostat.loosejson import count, part, required, text, told

#: Unlimited is the largest number there is, one way or another.
_UNLIMITED = 2**62
#: Windows counts CPU time in units of 100 ns.
_WINDOWS_TICKS_PER_S = 1e7


def stats(raw: object) -> ContainerStats:
    """What is told of one container. Raises ValueError when ``raw`` is no answer at all."""
    top = required(raw, "the answer")
    cpu, memory, pids = part(top, "cpu_stats"), part(top, "memory_stats"), part(top, "pids_stats")
    throttling = part(cpu, "throttling_data")
    # Nothing counts periods where nothing is limited, and Podman tells zeros that nobody counted.
    periods = count(throttling, "periods") or None
    is_windows = count(top, "num_procs") > 0
    cpu_time = count(part(cpu, "cpu_usage"), "total_usage")
    read_bytes, written_bytes = _storage_bytes(top) if is_windows else _by_operation(top, "io_service_bytes_recursive")
    reads, writes = _storage_counts(top) if is_windows else _by_operation(top, "io_serviced_recursive")
    return ContainerStats(
        memory_usage=told(memory, "commitbytes" if is_windows else "usage"),
        memory=_windows_memory(memory) if is_windows else _counts(part(memory, "stats")),
        memory_failures=told(memory, "failcnt"),
        cpu_seconds=cpu_time / (_WINDOWS_TICKS_PER_S if is_windows else 1e9) if cpu_time else None,
        cpu_periods=periods,
        cpu_throttled_periods=count(throttling, "throttled_periods") if periods else None,
        cpu_throttled_seconds=count(throttling, "throttled_time") / 1e9 if periods else None,
        pids=told(pids, "current"),
        pids_limit=_limit(told(pids, "limit")),
        read_bytes=read_bytes,
        written_bytes=written_bytes,
        reads=reads,
        writes=writes,
        networks=tuple(_networks(part(top, "networks"))),
    )


def _by_operation(top: Mapping[str, Any], key: str) -> tuple[int | None, int | None]:
    """Summed over devices: (read, written)."""
    entries = part(top, "blkio_stats").get(key)
    if not isinstance(entries, list):
        return None, None
    sums = {"read": 0, "write": 0}
    for entry in entries:
        # ``Read`` on cgroup v1, ``read`` on v2.
        if isinstance(entry, dict) and (operation := text(entry, "op").lower()) in sums:
            sums[operation] += count(entry, "value")
    return sums["read"], sums["write"]


def _storage_bytes(top: Mapping[str, Any]) -> tuple[int | None, int | None]:
    storage = part(top, "storage_stats")
    return told(storage, "read_size_bytes"), told(storage, "write_size_bytes")


def _storage_counts(top: Mapping[str, Any]) -> tuple[int | None, int | None]:
    storage = part(top, "storage_stats")
    return told(storage, "read_count_normalized"), told(storage, "write_count_normalized")


def _windows_memory(memory: Mapping[str, Any]) -> dict[str, int]:
    # What is private to the container's processes is there what anonymous memory is on Linux.
    private = told(memory, "privateworkingset")
    return {} if private is None else {"anon": private}


def _counts(raw: Mapping[str, Any]) -> dict[str, int]:
    return {key: count(raw, key) for key in raw}


def _limit(limit: int | None) -> int | None:
    """0 for none."""
    return 0 if limit is not None and limit >= _UNLIMITED else limit


def _networks(networks: Mapping[str, Any]) -> Iterator[NetworkCounters]:
    for interface, counters in networks.items():
        if isinstance(counters, dict):
            yield NetworkCounters(
                interface=interface,
                receive_bytes=count(counters, "rx_bytes"),
                receive_packets=count(counters, "rx_packets"),
                receive_errors=count(counters, "rx_errors") + count(counters, "rx_dropped"),
                transmit_bytes=count(counters, "tx_bytes"),
                transmit_packets=count(counters, "tx_packets"),
                transmit_errors=count(counters, "tx_errors") + count(counters, "tx_dropped"),
            )
