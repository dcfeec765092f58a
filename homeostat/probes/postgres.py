"""The owner's query, and how full the server is, on one connection that is kept from check to check.

The only importer of asyncpg; imported itself only when there is such a probe.
"""

import contextlib
import re
import ssl

import asyncpg  # type: ignore[import-untyped]  # it has no types, and does not leave this file

from homeostat.probes.dialing import Dialer
from homeostat.probes.model import Bad, CannotLook, Finding, PostgresMeasured, ProbeContext, Starting
from homeostat.probes.passwords import read_password
from homeostat.quantities import host_port
from homeostat.workloads import PostgresOptions, ProbeSpec

#: The connection's name in pg_stat_activity.
APPLICATION_NAME = "homeostat"
#: Of the check's timeout: the server gives up first, and what hangs is over when the check is.
_STATEMENT_SHARE = 0.8
_LOCK_SHARE = 0.7
_GOODBYE_S = 0.5

#: To who may not see the sessions of others (pg_monitor may), their state and type are null: the rest tells clients
#: from most others. Walsenders and background workers take none of max_connections. reserved_connections: since 16.
_ACTIVITY = """
SELECT coalesce(state, 'unknown') AS state,
       count(*)::int AS connections,
       extract(epoch FROM min(state_change) FILTER (WHERE state LIKE 'idle in transaction%'))::float8 AS idle_since,
       (SELECT count(*)::int FROM pg_locks WHERE NOT granted) AS lock_waits,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections_max
FROM pg_stat_activity
WHERE backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL)
GROUP BY 1
"""

#: SQLSTATE -> why, for those that are met in operation. The server's own words may hold anything.
_WORDS = {
    "53300": "too many connections",
    "55P03": "a lock was not granted in time",
    "57014": "the query was not done in time",
    "57P01": "the server is shutting down",
}
#: It answers, but not us: whether it is well cannot be seen. Class 28 is authorization, 42501 privilege.
_NOT_US = re.compile(r"28...|42501")
_NO_DATABASE = "3D000"
#: Starting up, also from a crash; or shutting down.
_CANNOT_CONNECT_NOW = "57P03"
_NO_ENCRYPTION = "28000"
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
#: What a kept connection says when the server has left it: restarted, or it ends idle sessions.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    ConnectionError,
)


class PostgresLook:
    """Connects at most once per check, and only when it has no connection, or the server has left the one it had."""

    def __init__(self, spec: ProbeSpec, _context: ProbeContext) -> None:
        address, _, database = spec.target.partition("/")
        if not isinstance(spec.options, PostgresOptions) or not (database and spec.options.user):
            raise ValueError("a postgres probe has a database and a user")
        self._options = spec.options
        self._dialer = Dialer(*host_port(address))
        self._database = database
        self._timeout_s = spec.timeout_s
        self._is_tls = True
        self._connection: asyncpg.Connection | None = None

    async def look(self) -> Finding:
        try:
            connection, row = await self._run_query()
            _judge(row)
            return Finding(measured=await _measure(connection))
        except asyncpg.PostgresError as err:
            raise self._explained(err.sqlstate or "") from None
        except (asyncpg.InterfaceError, asyncpg.InternalClientError):
            self._drop()
            raise Bad("the answer is not PostgreSQL's") from None
        except Bad:
            raise
        except BaseException:  # cancelled, too
            self._drop()
            raise

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=_GOODBYE_S)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _run_query(self) -> tuple[asyncpg.Connection, asyncpg.Record | None]:
        if self._connection is not None:
            try:
                return self._connection, await self._connection.fetchrow(self._options.query)
            except _LOST:
                self._drop()
        self._connection = await self._connect()
        return self._connection, await self._connection.fetchrow(self._options.query)

    async def _connect(self) -> asyncpg.Connection:
        """With TLS where the server has it, unverified, as libpq does unless told otherwise (sslmode=prefer)."""
        password = await read_password(self._options.password_file)
        addresses = [str(address[4][0]) for address in await self._dialer.resolve()]
        if self._is_tls:
            try:
                return await self._log_in(addresses, password, _unverified())
            except ConnectionError as err:
                if type(err) is not ConnectionError:  # asyncpg's way to say that the server has no TLS
                    raise
                self._is_tls = False
        return await self._log_in(addresses, password, None)

    async def _log_in(self, addresses: list[str], password: str, tls: ssl.SSLContext | None) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=addresses,
            port=[self._dialer.port] * len(addresses),
            user=self._options.user,
            password=password,  # "" keeps asyncpg from looking for one by itself
            database=self._database,
            ssl=tls or False,
            timeout=self._timeout_s,
            server_settings={
                "application_name": APPLICATION_NAME,
                "statement_timeout": self._share_ms(_STATEMENT_SHARE),
                "lock_timeout": self._share_ms(_LOCK_SHARE),
            },
        )

    def _share_ms(self, share: float) -> str:
        return str(max(1, int(self._timeout_s * share * 1000)))

    def _explained(self, sqlstate: str) -> Exception:
        if sqlstate == _NO_ENCRYPTION:
            self._is_tls = not self._is_tls  # pg_hba.conf may want the other way: known at the next check
        if _NOT_US.fullmatch(sqlstate):
            return CannotLook("not authorized")
        if sqlstate == _NO_DATABASE:
            return CannotLook("no such database")
        if sqlstate == _CANNOT_CONNECT_NOW:
            return Starting("the server is starting up or shutting down")
        if sqlstate.startswith("08"):
            return Bad("connection lost")
        return Bad(_WORDS.get(sqlstate) or (f"SQLSTATE {sqlstate}" if _SQLSTATE.fullmatch(sqlstate) else "refused"))


def _judge(row: asyncpg.Record | None) -> None:
    if row is None:
        raise Bad("the query returned no row")
    if len(row) == 1 and row[0] is False:
        raise Bad("the query returned false")


async def _measure(connection: asyncpg.Connection) -> PostgresMeasured | None:
    """None when it cannot be had from this server: the owner's query was answered, which is what counts."""
    try:
        rows = await connection.fetch(_ACTIVITY)
    except (asyncpg.PostgresError, ConnectionError):
        return None
    return PostgresMeasured(
        connections={row["state"]: row["connections"] for row in rows},
        connections_max=rows[0]["connections_max"],
        idle_in_transaction_since=min((row["idle_since"] for row in rows if row["idle_since"]), default=None),
        lock_waits=rows[0]["lock_waits"],
    )


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
