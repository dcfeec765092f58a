"""What the redis and postgres probes measured beside their check. Nothing where the last check was not good."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporters.collectors.probes import label_pairs
from exporters.probing import Observation, Prober
from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, counter, gauge, labels
from homeostat.probes.model import PostgresMeasured, RedisMeasured

_OWN = (names.WORKLOAD, names.CONTAINER, names.PROBE)
_CLIENTS = gauge("homeostat_redis_connected_clients", "Client connections, the probe's own among them.", *_OWN)
_CLIENTS_MAX = gauge("homeostat_redis_max_clients", "Client connections that there may be.", *_OWN)
_CLIENTS_BLOCKED = gauge("homeostat_redis_blocked_clients", "Clients that wait in a blocking command.", *_OWN)
_MEMORY = gauge("homeostat_redis_memory_used_bytes", "Memory that Redis's allocator has given out.", *_OWN)
_MEMORY_MAX = gauge("homeostat_redis_memory_max_bytes", "Redis's maxmemory; 0 for no limit.", *_OWN)
_EVICTED = counter("homeostat_redis_evicted_keys_total", "Keys evicted at maxmemory.", *_OWN)
_REJECTED = counter("homeostat_redis_rejected_connections_total", "Connections rejected at maxclients.", *_OWN)
_REPLICA = gauge("homeostat_redis_replica", "Whether it copies another server.", *_OWN)
_REPLICAS = gauge("homeostat_redis_connected_replicas", "Servers that copy it and are connected.", *_OWN)
_LINK_UP = gauge("homeostat_redis_replication_link_up", "Of a replica: whether it reaches what it copies.", *_OWN)
_LAST_IO = gauge(
    "homeostat_redis_replication_last_io_timestamp_seconds",
    "Of a replica: when it last heard of what it copies. Absent while it never has, or the link is down.",
    *_OWN,
)
_CONNECTIONS = gauge(
    "homeostat_postgres_connections",
    "Client connections by state, the probe's own among them. The state of others is unknown to a role without the "
    "rights of pg_monitor.",
    *_OWN,
    "state",
)
_CONNECTIONS_MAX = gauge(
    "homeostat_postgres_max_connections",
    "Client connections that there may be of ordinary roles: max_connections less all that are reserved.",
    *_OWN,
)
_IDLE_SINCE = gauge(
    "homeostat_postgres_idle_in_transaction_start_timestamp_seconds",
    "Since when the longest idle of the open transactions is idle. Absent when none is.",
    *_OWN,
)
_LOCK_WAITS = gauge("homeostat_postgres_lock_waits", "Locks that somebody waits for.", *_OWN)
METRICS: tuple[Metric, ...] = (
    _CLIENTS,
    _CLIENTS_MAX,
    _CLIENTS_BLOCKED,
    _MEMORY,
    _MEMORY_MAX,
    _EVICTED,
    _REJECTED,
    _REPLICA,
    _REPLICAS,
    _LINK_UP,
    _LAST_IO,
    _CONNECTIONS,
    _CONNECTIONS_MAX,
    _IDLE_SINCE,
    _LOCK_WAITS,
)
#: Exported as 0 when no connection is in them.
_STATES = ("active", "idle", "idle in transaction", "idle in transaction (aborted)")


def make(sources: Sources) -> "DatabasesCollector":
    return DatabasesCollector(sources.prober)


@dataclass(frozen=True, slots=True)
class DatabasesCollector:
    """Of the last checks: this asks no database. Fails when probes stand still."""

    prober: Prober

    @property
    def name(self) -> str:
        return "databases"

    async def collect(self) -> list[Family]:
        families = {metric: metric.family() for metric in METRICS}
        for key, observation in self.prober.observations().items():
            pairs = label_pairs(key)
            for metric, more, value in _samples(observation):
                if value is not None:
                    families[metric].add(labels({**pairs, **more}), value)
        return list(families.values())


_Sample = tuple[Metric, Mapping[str, str], float | None]


def _samples(observation: Observation) -> Iterator[_Sample]:
    match observation.result.measured if observation.result else None:
        case RedisMeasured() as redis:
            return _redis(redis, observation.at)
        case PostgresMeasured() as postgres:
            return _postgres(postgres)
        case _:
            return iter(())


def _redis(measured: RedisMeasured, at: float) -> Iterator[_Sample]:
    values = {
        _CLIENTS: measured.clients,
        _CLIENTS_MAX: measured.clients_max,
        _CLIENTS_BLOCKED: measured.clients_blocked,
        _MEMORY: measured.memory_bytes,
        _MEMORY_MAX: measured.memory_max_bytes,
        _EVICTED: measured.evicted_keys,
        _REJECTED: measured.rejected_connections,
        _REPLICA: measured.is_replica,
        _REPLICAS: measured.replicas,
        _LINK_UP: measured.link_up,
        _LAST_IO: None if measured.last_io_s is None else at - measured.last_io_s,
    }
    return ((metric, {}, value) for metric, value in values.items())


def _postgres(measured: PostgresMeasured) -> Iterator[_Sample]:
    for state, connections in {**dict.fromkeys(_STATES, 0), **measured.connections}.items():
        yield _CONNECTIONS, {"state": state}, connections
    yield _CONNECTIONS_MAX, {}, measured.connections_max
    yield _IDLE_SINCE, {}, measured.idle_in_transaction_since
    yield _LOCK_WAITS, {}, measured.lock_waits
