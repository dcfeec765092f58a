"""PING, then INFO, on one connection that is kept from check to check."""

from collections.abc import Mapping

from homeostat.probes.dialing import Dialer
from homeostat.probes.model import Bad, CannotLook, Finding, ProbeContext, RedisMeasured, Starting
from homeostat.probes.passwords import read_password
from homeostat.probes.resp import Link, Refused
from homeostat.quantities import host_port
from homeostat.workloads import ProbeSpec, RedisOptions

#: The connection's name in CLIENT LIST.
CLIENT_NAME = "homeostat"
_DEFAULT = RedisOptions()
#: It answers, but not us: whether it is well cannot be seen.
_NOT_US = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "DENIED"})
#: This user, or this server, gives no names: a check does without.
_NO_NAME = frozenset({"NOPERM", "ERR"})


class RedisLook:
    """Connects at most once per check, and only when it has no connection, or the server has left the one it had."""

    def __init__(self, spec: ProbeSpec, _context: ProbeContext) -> None:
        self._dialer = Dialer(*host_port(spec.target))
        self._options = spec.options if isinstance(spec.options, RedisOptions) else _DEFAULT
        self._link: Link | None = None

    async def look(self) -> Finding:
        try:
            return await self._ask()
        except Refused as err:
            if err.code in _NOT_US:  # who may ask is settled at connect
                await self.close()
            raise _explained(err) from None
        except BaseException:  # cancelled, too: an answer that is still to come must not pass for the next one's
            await self.close()
            raise

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    async def _ask(self) -> Finding:
        if self._link is not None:
            try:
                await self._link.call("PING")
            except ConnectionError:  # restarted, or it closes the idle
                await self.close()
        if self._link is None:
            self._link = await self._connect()
            await self._link.call("PING")
        try:
            return Finding(measured=measured(await self._link.call("INFO")))
        except Refused:  # this user may not; that it answers is known
            return Finding()

    async def _connect(self) -> Link:
        password = await read_password(self._options.password_file)
        link = Link(await self._dialer.connect(await self._dialer.resolve()))
        try:
            if password:
                await link.call("AUTH", *([self._options.user] if self._options.user else []), password)
            await self._name(link)
        except BaseException:
            link.close()
            raise
        return link

    async def _name(self, link: Link) -> None:
        try:
            await link.call("CLIENT", "SETNAME", CLIENT_NAME)
        except Refused as err:
            if err.is_full or err.code not in _NO_NAME:
                raise


def measured(info: str) -> RedisMeasured:
    """Out of INFO's lines ``name:value``."""
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    role = fields.get("role")
    link = fields.get("master_link_status")
    last_io_s = _number(fields, "master_last_io_seconds_ago")
    return RedisMeasured(
        clients=_number(fields, "connected_clients"),
        clients_max=_number(fields, "maxclients"),
        clients_blocked=_number(fields, "blocked_clients"),
        memory_bytes=_number(fields, "used_memory"),
        memory_max_bytes=_number(fields, "maxmemory"),
        evicted_keys=_number(fields, "evicted_keys"),
        rejected_connections=_number(fields, "rejected_connections"),
        is_replica=None if role is None else role == "slave",
        replicas=_number(fields, "connected_slaves"),
        link_up=None if link is None else link == "up",
        last_io_s=last_io_s if last_io_s is not None and last_io_s >= 0 else None,  # -1: never
    )


def _number(fields: Mapping[str, str], name: str) -> int | None:
    try:
        return int(fields[name])
    except (KeyError, ValueError):
        return None


def _explained(err: Refused) -> Exception:
    if err.is_full:
        return Bad("max number of clients reached")
    reason = f"Redis says {err.code}" if err.code else "Redis answers with an error"
    if err.code == "LOADING":
        return Starting(reason)
    return CannotLook(reason) if err.code in _NOT_US else Bad(reason)
