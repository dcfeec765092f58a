"""Checks from outside: the table of probe kinds, and the one seam they share.

A failed check is a result, never an exception. Adding a kind: one function and one line in ``PROBES``.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from homeostat.clock import Clock
from homeostat.workloads import ProbeSpec


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one check saw. ``reason`` is a short, secret-free phrase; empty when ``ok``."""

    ok: bool
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What probes need from the process that runs them."""

    session: aiohttp.ClientSession
    clock: Clock


ProbeFn = Callable[[ProbeSpec, ProbeContext], Awaitable[str]]


async def probe_http(spec: ProbeSpec, context: ProbeContext) -> str:
    """GET; any status below 400 is good. Redirects are not followed: they are an answer."""
    async with context.session.get(spec.target, allow_redirects=False) as response:
        await response.content.read(4096)
        return "" if response.status < 400 else f"status {response.status}"  # noqa: PLR2004 - RFC 9110


async def probe_tcp(spec: ProbeSpec, _context: ProbeContext) -> str:
    """Connect and close. A paused container still completes the handshake: prefer http where there is one."""
    host, _, port = spec.target.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.close()
    return ""


#: Every probe kind. A function returns "" when good, else why not; it may raise OSError or aiohttp errors.
PROBES: dict[str, ProbeFn] = {"http": probe_http, "tcp": probe_tcp}


async def run_probe(spec: ProbeSpec, context: ProbeContext) -> ProbeResult:
    """Run one check under its timeout. ``spec.target`` must be resolved (have a host)."""
    start = context.clock.monotonic()
    try:
        async with asyncio.timeout(spec.timeout_s):
            reason = await PROBES[spec.kind](spec, context)
    except TimeoutError:
        reason = f"no answer within {spec.timeout_s:g} s"
    except (OSError, aiohttp.ClientError, ValueError, OverflowError) as err:  # the last two: a port that cannot be
        reason = _phrase(err)
    return ProbeResult(not reason, reason, context.clock.monotonic() - start)


def _phrase(err: Exception) -> str:
    """Why, without the address: a target may carry a secret."""
    cause = err.os_error if isinstance(err, aiohttp.ClientConnectorError) else err
    # Name lookups and TLS count their errors in their own ways.
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, socket.gaierror | ssl.SSLError):
        return os.strerror(cause.errno)
    return type(cause).__name__
