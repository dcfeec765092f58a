"""Sessions of one PostgreSQL user in one database: those that hold on for too long, and their end.

Imports asyncpg, and so is imported only when there is such a step.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg  # type: ignore[import-untyped]  # it has no types, and does not leave this file

from homeostat.errors import HomeostatError, Permanent, Temporary, Unreachable
from homeostat.probes.dialing import Dialer
from homeostat.probes.model import CannotLook
from homeostat.probes.passwords import read_password
from homeostat.quantities import host_port
from homeostat.steps import PgReleaseStep
from responder.actions.deadline import Deadline

_APPLICATION_NAME = "homeostat"
_GOODBYE_S = 0.5

#: Client backends only: no walsender, autovacuum or worker. To who may not see the sessions of others, their type and
#: state are null.
_SESSIONS = """
SELECT pid, backend_start, state_change, coalesce(state, '') AS state, backend_type IS NOT NULL AS is_seen,
       coalesce(extract(epoch FROM clock_timestamp() - state_change), 0)::float8 AS in_state_s,
       coalesce(extract(epoch FROM clock_timestamp() - query_start), 0)::float8 AS in_statement_s
FROM pg_stat_activity
WHERE usename = $1 AND datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
"""
#: The very session, in the very state it was found in: a pid is given again, and who has woken up meanwhile stays.
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = $1 AND backend_start = $2 AND state_change = $3 AND usename = $4 AND pid <> pg_backend_pid()
"""

_KEEP_ONE = "one is kept for a superuser, or (since 16) by reserved_connections for who has pg_use_reserved_connections"
#: SQLSTATE (also its class) -> what, and words. The server's own words may hold anything.
_REFUSALS: dict[str, tuple[type[HomeostatError], str]] = {
    "53300": (Temporary, f"too many connections: it takes no new one, not even to end others; {_KEEP_ONE}"),
    "28": (Permanent, "not authorized; see user and password_file"),
    "3D000": (Permanent, "no such database"),
    "42501": (Permanent, "its user may not end them; grant it pg_signal_backend"),
    "57P03": (Temporary, "the server is starting up or shutting down"),
    "57014": (Temporary, "it did not answer in time"),
}


@dataclass(frozen=True, slots=True)
class Session:
    """``in_state_s``, ``in_statement_s``: seconds since the state changed, and since the last statement began."""

    pid: int
    backend_start: datetime
    state_change: datetime
    state: str
    is_seen: bool
    in_state_s: float
    in_statement_s: float

    def age_s(self, step: PgReleaseStep) -> float | None:
        """For how long it has held on, when that is too long."""
        if self.state.startswith("idle in transaction") and self.in_state_s > step.idle_in_transaction:
            return self.in_state_s
        is_slow = step.statement_age is not None and self.in_statement_s > step.statement_age
        return self.in_statement_s if self.state == "active" and is_slow else None


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that was ended."""

    pid: int
    state: str
    age_s: float


async def release(address: str, database: str, step: PgReleaseStep, most: int, deadline: Deadline) -> list[Ended]:
    """Those that were ended, the oldest first. Raises Unreachable, Temporary or Permanent, with the address and never a
    password, a statement or what the server said.
    """
    role = step.sessions_of or step.user
    async with _connected(address, database, step, deadline) as connection:
        sessions = [Session(**row) for row in await connection.fetch(_SESSIONS, role)]
        if any(not session.is_seen for session in sessions):
            raise Permanent(f"PostgreSQL at {address}: {step.user} may not see {role}'s sessions; grant it pg_monitor")
        ended: list[Ended] = []
        for session, age_s in overdue(sessions, step):
            if len(ended) >= most or deadline.is_over:
                break
            identity = (session.pid, session.backend_start, session.state_change, role)
            if await connection.fetchval(_TERMINATE, *identity):
                ended.append(Ended(session.pid, session.state, age_s))
        return ended


def overdue(sessions: Iterable[Session], step: PgReleaseStep) -> list[tuple[Session, float]]:
    """Those that hold on for too long, with their ages, the oldest first."""
    found = [(session, age_s) for session in sessions if (age_s := session.age_s(step)) is not None]
    return sorted(found, key=lambda pair: -pair[1])


@contextlib.asynccontextmanager
async def _connected(
    address: str, database: str, step: PgReleaseStep, deadline: Deadline
) -> AsyncIterator[asyncpg.Connection]:
    connection: asyncpg.Connection | None = None
    try:
        connection = await _connect(address, database, step, deadline)
        yield connection
    except CannotLook as err:
        raise Permanent(f"PostgreSQL at {address}: {err}") from None
    except asyncpg.PostgresError as err:
        raise _explained(address, err.sqlstate or "") from None
    except (asyncpg.InterfaceError, asyncpg.InternalClientError):
        raise Permanent(f"PostgreSQL at {address}: the answer is not PostgreSQL's") from None
    except TimeoutError:
        raise Unreachable(f"PostgreSQL at {address}: no answer in time") from None
    except OSError:
        raise Unreachable(f"PostgreSQL at {address}: connection refused or lost") from None
    finally:
        if connection is not None:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=_GOODBYE_S)


async def _connect(address: str, database: str, step: PgReleaseStep, deadline: Deadline) -> asyncpg.Connection:
    """With TLS where the server has it, unverified, as libpq does unless told otherwise."""
    password = await read_password(step.password_file)
    dialer = Dialer(*host_port(address))
    addresses = [str(found[4][0]) for found in await dialer.resolve()]
    timeout_s = deadline.left_s
    return await asyncpg.connect(
        host=addresses,
        port=[dialer.port] * len(addresses),
        user=step.user,
        password=password,  # "" keeps asyncpg from looking for one by itself
        database=database,
        ssl="prefer",
        timeout=timeout_s,
        command_timeout=timeout_s,
        server_settings={
            "application_name": _APPLICATION_NAME,
            "search_path": "pg_catalog",  # nobody's functions in front of the server's
            "statement_timeout": str(max(1, int(timeout_s * 1000))),
        },
    )


def _explained(address: str, sqlstate: str) -> HomeostatError:
    kind, words = _REFUSALS.get(sqlstate) or _REFUSALS.get(sqlstate[:2]) or (Permanent, f"SQLSTATE {sqlstate}")
    return kind(f"PostgreSQL at {address}: {words}")
