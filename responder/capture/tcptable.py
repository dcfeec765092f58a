"""/proc/PID/net/tcp and tcp6 (proc(5); kernel, net/ipv4/tcp_ipv4.c) -> sockets. Pure."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

#: include/net/tcp_states.h.
STATES = {
    "01": "ESTABLISHED",
    "02": "SYN_SENT",
    "03": "SYN_RECV",
    "04": "FIN_WAIT1",
    "05": "FIN_WAIT2",
    "06": "TIME_WAIT",
    "07": "CLOSE",
    "08": "CLOSE_WAIT",
    "09": "LAST_ACK",
    "0A": "LISTEN",
    "0B": "CLOSING",
    "0C": "NEW_SYN_RECV",
}
#: sl local remote state tx:rx timer:when retransmits uid timeout inode ...
_FIELDS = 10
_WORD = 8


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """``local`` as the kernel spells it, in hexadecimal. ``receive_queue``: bytes that the program has not read; of a
    listener, connections that it has not accepted.
    """

    local: str
    state: str
    receive_queue: int
    send_queue: int
    inode: str


def sockets(table: bytes) -> Iterator[TcpSocket]:
    """Of one table; a line that cannot be read, such as the heading or one that was cut, is passed over."""
    for line in table.decode("ascii", errors="replace").splitlines():
        fields = line.split()
        if len(fields) < _FIELDS or fields[3] not in STATES:
            continue
        send, _, receive = fields[4].partition(":")
        try:
            yield TcpSocket(fields[1], STATES[fields[3]], int(receive, 16), int(send, 16), fields[9])
        except ValueError:
            continue


def address(local: str) -> str:
    """``0100007F:1F90`` as ``127.0.0.1:8080``: words of four bytes, each the wrong way round on x86 and ARM."""
    host, _, port = local.partition(":")
    try:
        words = [bytes.fromhex(host[at : at + _WORD])[::-1] for at in range(0, len(host), _WORD)]
        found = ipaddress.ip_address(b"".join(words))
        return f"[{found}]:{int(port, 16)}" if found.version == 6 else f"{found}:{int(port, 16)}"  # noqa: PLR2004
    except ValueError:
        return local
