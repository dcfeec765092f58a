"""Checks from outside: the table of kinds, and the one seam that they share.

A failed check is a result, never an exception. Adding a kind: a file here with a ``Look`` (see model.py), and a line in
``LOOKS``.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from homeostat.probes.command import CommandLook
from homeostat.probes.http import HttpLook
from homeostat.probes.model import Look, MakeLook, ProbeContext, ProbeResult
from homeostat.probes.promql import PromqlLook
from homeostat.probes.reasons import EXPECTED, explain
from homeostat.probes.redis import RedisLook
from homeostat.probes.tcp import TcpLook
from homeostat.workloads import ProbeSpec

__all__ = ["LOOKS", "Probe", "ProbeContext", "ProbeResult", "open_probe", "run_probe"]


def _dns(spec: ProbeSpec, context: ProbeContext) -> Look:
    from homeostat.probes.dns import DnsLook  # noqa: PLC0415 - dnspython takes 4 MB: only where it is used

    return DnsLook(spec, context)


def _postgres(spec: ProbeSpec, context: ProbeContext) -> Look:
    from homeostat.probes.postgres import PostgresLook  # noqa: PLC0415 - asyncpg takes 4 MB: only where it is used

    return PostgresLook(spec, context)


#: Every kind of probe.
LOOKS: Mapping[str, MakeLook] = {
    "http": HttpLook,
    "tcp": TcpLook,
    "dns": _dns,
    "redis": RedisLook,
    "postgres": _postgres,
    "command": CommandLook,
    "promql": PromqlLook,
}


class Probe(Protocol):
    """One target that is checked again and again, never twice at the same time."""

    async def check(self) -> ProbeResult:
        """Within the timeout; a little after it where a process has to be ended. Raises CancelledError only."""
        ...

    async def close(self) -> None:
        """Give back what is kept between checks: a connection at most."""
        ...


def open_probe(spec: ProbeSpec, context: ProbeContext) -> Probe:
    """``spec.target`` must be resolved (have a host). Nothing happens before the first check."""
    return _Opened(spec, context)


async def run_probe(spec: ProbeSpec, context: ProbeContext) -> ProbeResult:
    """One check, and nothing is kept."""
    probe = open_probe(spec, context)
    try:
        return await probe.check()
    finally:
        await probe.close()


class _Opened:
    """What all kinds have in common: the deadline, the time, and exceptions turned into reasons."""

    def __init__(self, spec: ProbeSpec, context: ProbeContext) -> None:
        self._spec = spec
        self._context = context
        self._look: Look | None = None

    async def check(self) -> ProbeResult:
        clock = self._context.clock
        start = clock.monotonic()
        ok: bool | None
        try:
            async with asyncio.timeout(self._spec.timeout_s):
                if self._look is None:
                    self._look = LOOKS[self._spec.kind](self._spec, self._context)
                finding = await self._look.look()
            ok, reason, measured = not finding.reason, finding.reason, finding.measured
        except EXPECTED as err:
            (ok, reason), measured = explain(err, self._spec), None
        return ProbeResult(ok, reason, clock.monotonic() - start, measured)

    async def close(self) -> None:
        if self._look is not None:
            await self._look.close()
