"""Connects and closes."""

from homeostat.probes.dialing import Dialer
from homeostat.probes.model import Finding, ProbeContext
from homeostat.quantities import host_port
from homeostat.workloads import ProbeSpec


class TcpLook:
    """A paused container still completes the handshake: prefer a kind that is answered where there is one."""

    def __init__(self, spec: ProbeSpec, _context: ProbeContext) -> None:
        self._dialer = Dialer(*host_port(spec.target))

    async def look(self) -> Finding:
        sock = await self._dialer.connect(await self._dialer.resolve())
        sock.close()
        return Finding()

    async def close(self) -> None:
        """Nothing is kept."""
