"""A container's network interfaces, from /proc/PID/net/dev of one of its processes (proc_pid_net(5))."""

import re

from exporters.rawfiles import read_whole
from homeostat.containerinfo import NetworkCounters

#: Its own loopback, what belongs to containers inside it, and devices that the kernel puts into every namespace.
_NOT_TOLD = re.compile(
    rb"lo|(?:veth|br-|docker|podman|cni|virbr).*|(?:tunl|sit|gre|gretap|erspan|ip6tnl|ip6gre|ip6?_vti)0"
)
#: A container has one interface per network it is in. More of them come from software that makes them by the dozen.
_MOST = 8
_MOST_BYTES = 1 << 15
_HEAD_LINES = 2
_FIELDS = 16


def networks(proc: str, pid: int) -> tuple[NetworkCounters, ...]:
    """None of them when the process is gone."""
    content = read_whole(f"{proc}/{pid}/net/dev", _MOST_BYTES) or b""
    found: list[NetworkCounters] = []
    for line in content.splitlines()[_HEAD_LINES:]:
        name, _, counters = line.strip().partition(b":")
        if len(found) == _MOST or _NOT_TOLD.fullmatch(name):
            continue
        fields = counters.split()
        if len(fields) >= _FIELDS:
            found.append(_interface(name.decode(errors="backslashreplace"), fields))
    return tuple(found)


def _interface(name: str, fields: list[bytes]) -> NetworkCounters:
    return NetworkCounters(
        interface=name,
        receive_bytes=int(fields[0]),
        receive_packets=int(fields[1]),
        receive_errors=int(fields[2]) + int(fields[3]),
        transmit_bytes=int(fields[8]),
        transmit_packets=int(fields[9]),
        transmit_errors=int(fields[10]) + int(fields[11]),
    )
