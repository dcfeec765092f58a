"""The words of every kind of probe: what one check saw, what it measured beside, and how a kind of probe is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from homeostat.clock import Clock
from homeostat.probes.trust import SystemTrust
from homeostat.workloads import ProbeSpec


class Bad(Exception):
    """The target does not do what it should. ``str()`` is the reason, as :class:`ProbeResult` has it."""


class CannotLook(Exception):
    """Something on our side keeps us from looking, which says nothing about the target. ``str()`` is the reason."""


class Starting(Exception):
    """The target says that it is still coming up. ``str()`` is the reason.

    It is not ready. But a restart, which failed liveness asks for, would make it begin anew: to a liveness probe it is
    neither good nor bad.
    """


@dataclass(frozen=True, slots=True)
class HttpMeasured:
    """``phases``: phase -> seconds, those that took place of resolve, connect, tls, processing (until the first byte of
    the answer) and transfer. ``tls_expires_at``: when the server's own certificate does, in epoch seconds.
    """

    status: int
    phases: Mapping[str, float]
    tls_expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class RedisMeasured:
    """As INFO has it; None for what this server does not tell. ``memory_max_bytes``: 0 for no limit.

    ``link_up``, ``last_io_s``: of a replica, to the server that it copies, and how long ago they last spoke.
    """

    clients: int | None = None
    clients_max: int | None = None
    clients_blocked: int | None = None
    memory_bytes: int | None = None
    memory_max_bytes: int | None = None
    evicted_keys: int | None = None
    rejected_connections: int | None = None
    is_replica: bool | None = None
    replicas: int | None = None
    link_up: bool | None = None
    last_io_s: float | None = None


@dataclass(frozen=True, slots=True)
class PostgresMeasured:
    """``connections``: state -> client connections, our own among them. ``connections_max``: how many there may be of
    roles that have none in reserve. ``idle_in_transaction_since``: when the longest idle of the open transactions fell
    idle, in epoch seconds; None for none. ``lock_waits``: locks that somebody waits for.
    """

    connections: Mapping[str, int]
    connections_max: int
    idle_in_transaction_since: float | None
    lock_waits: int


Measured = HttpMeasured | RedisMeasured | PostgresMeasured


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one check saw.

    ``ok`` is None when it is neither good nor bad: nothing was seen for a reason on our side, or it is still starting.
    ``reason``: a short phrase out of a bounded number, without anything secret; empty when ``ok``.
    """

    ok: bool | None
    reason: str
    seconds: float
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a kind of probe saw: ``reason`` as above, empty for good."""

    reason: str = ""
    measured: Measured | None = None


class Look(Protocol):
    """One kind of probe at one target, for as long as it is open. Keeps one connection at most."""

    async def look(self) -> Finding:
        """Look once. May be cancelled at any time, and then leaves no connection in a state that nobody knows.

        Raises Bad, CannotLook, Starting, OSError; TimeoutError for no answer in time; ValueError for a target that
        cannot be.
        """
        ...

    async def close(self) -> None:
        """Let go of what is kept between looks, without waiting long for anybody."""
        ...


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What probes need from the process that runs them. ``session`` is for asking Prometheus."""

    session: aiohttp.ClientSession
    clock: Clock
    trust: SystemTrust = field(default_factory=SystemTrust)


#: Called with a target that has a host. May raise ValueError: its look would, too.
MakeLook = Callable[[ProbeSpec, ProbeContext], Look]
