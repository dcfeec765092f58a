"""PostgreSQL and Redis as a probe with credentials sees them: a part of the dashboard Dependencies."""

from grafana.dashboards.shapes import bars, gauge, lines, timeline
from grafana.dashboards.states import YES_NO
from grafana.dashboards.steps import worst
from grafana.lib import Query, Unit

SERVER = "workload, container"
NAME = "{{workload}} {{container}}"
POSTGRES, REDIS = "homeostat_postgres", "homeostat_redis"

POSTGRES_PANELS = (
    lines(
        "Connections",
        "By state, against what ordinary roles may have. `idle` that only rises is a pool that leaks.",
        Unit.COUNT,
        Query(gauge(f"{POSTGRES}_connections", f"{SERVER}, state"), f"{{{{state}}}} {NAME}"),
        Query(gauge(f"{POSTGRES}_max_connections", SERVER), f"limit {NAME}"),
        width=8,
        runbooks=("PostgresConnectionsHigh",),
    ),
    lines(
        "Idle in transaction",
        "How long the longest of them is idle: it holds its locks, and nothing is cleaned up behind it.",
        Unit.SECONDS,
        Query(f"time() - min by ({SERVER}) ({POSTGRES}_idle_in_transaction_start_timestamp_seconds)", NAME),
        width=8,
        runbooks=("PostgresIdleInTransaction",),
    ),
    lines(
        "Waits for locks",
        "Locks that somebody waits for. One now and then is normal.",
        Unit.COUNT,
        Query(gauge(f"{POSTGRES}_lock_waits", SERVER), NAME),
        width=8,
        runbooks=("PostgresLockWaits",),
    ),
)
REDIS_PANELS = (
    lines(
        "Clients",
        "Connected, and those that wait in a blocking command.",
        Unit.COUNT,
        Query(gauge(f"{REDIS}_connected_clients", SERVER), f"connected {NAME}"),
        Query(gauge(f"{REDIS}_blocked_clients", SERVER), f"blocked {NAME}"),
        width=8,
    ),
    lines(
        "Memory of Redis",
        "What its allocator has given out, against maxmemory if there is one.",
        Unit.BYTES,
        Query(gauge(f"{REDIS}_memory_used_bytes", SERVER), f"used {NAME}"),
        Query(f"{gauge(f'{REDIS}_memory_max_bytes', SERVER)} > 0", f"limit {NAME}"),
        width=8,
        runbooks=("RedisMemoryHigh",),
    ),
    bars(
        "Evicted and rejected",
        "Keys evicted at maxmemory, connections rejected at maxclients.",
        Query(f"max by ({SERVER}) (increase({REDIS}_evicted_keys_total[$__rate_interval]))", f"evicted {NAME}"),
        Query(
            f"max by ({SERVER}) (increase({REDIS}_rejected_connections_total[$__rate_interval]))", f"rejected {NAME}"
        ),
        width=8,
        runbooks=("RedisEvicting", "RedisRejectingConnections"),
    ),
    timeline(
        "Replication",
        "Of replicas: whether they reach what they copy.",
        YES_NO,
        Query(f"min by ({SERVER}) ({worst(f'{REDIS}_replication_link_up', is_low_worse=True)})", NAME),
        runbooks=("RedisReplicationDown",),
    ),
    lines(
        "Behind",
        "Since a replica last heard of what it copies.",
        Unit.SECONDS,
        Query(f"time() - max by ({SERVER}) ({REDIS}_replication_last_io_timestamp_seconds)", NAME),
    ),
)
