"""The network stack of the host: sockets, what TCP and UDP lost, connection tracking.

Sources: kernel, Documentation/networking/snmp_counter.rst and nf_conntrack-sysctl.rst; proc_net(5).
"""

import os
from collections.abc import Mapping

from exporters.rawfiles import number, read, read_whole

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 1

#: Figures by (protocol, name) as the kernel calls them, for instance ("Tcp", "RetransSegs") or ("TCP", "tw").
Stack = Mapping[tuple[str, str], int]


def read_stack(proc: str) -> Stack:
    """Of process 1's network namespace, which is the host's. What this kernel does not tell is not in it."""
    net = f"{proc}/1/net"
    found = sockstat(read(f"{net}/sockstat") or b"")
    found |= paired(read_whole(f"{net}/snmp") or b"")
    found |= paired(read_whole(f"{net}/netstat") or b"")
    for name in ("count", "max"):
        value = number(read(f"{proc}/sys/net/netfilter/nf_conntrack_{name}"))
        if value is not None:
            found["conntrack", name] = value
    return found


def sockstat(content: bytes) -> dict[tuple[str, str], int]:
    """``TCP: inuse 1 orphan 0 tw 40 alloc 1 mem 128``; memory is in pages and becomes bytes."""
    found: dict[tuple[str, str], int] = {}
    for line in content.decode().splitlines():
        protocol, _, rest = line.partition(":")
        words = rest.split()
        for name, value in zip(words[::2], words[1::2], strict=False):
            found[protocol, name] = int(value) * (_PAGE_BYTES if name == "mem" else 1)
    return found


def paired(content: bytes) -> dict[tuple[str, str], int]:
    """A line of names, then one of values, both with their protocol."""
    found: dict[tuple[str, str], int] = {}
    lines = content.decode().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        protocol, _, rest = names.partition(":")
        if protocol in _WANTED:
            told = zip(rest.split(), values.partition(":")[2].split(), strict=False)
            found.update(((protocol, name), int(value)) for name, value in told if name in _WANTED[protocol])
    return found


#: The rest of some two hundred is for people who debug TCP itself.
_WANTED: Mapping[str, frozenset[str]] = {
    "Tcp": frozenset(
        {
            "CurrEstab",
            "ActiveOpens",
            "PassiveOpens",
            "AttemptFails",
            "EstabResets",
            "InSegs",
            "OutSegs",
            "RetransSegs",
            "InErrs",
            "OutRsts",
        }
    ),
    "Udp": frozenset({"InDatagrams", "OutDatagrams", "NoPorts", "InErrors", "RcvbufErrors", "SndbufErrors"}),
    "TcpExt": frozenset({"ListenOverflows", "ListenDrops", "SyncookiesSent", "TCPTimeouts", "TCPAbortOnMemory"}),
}
