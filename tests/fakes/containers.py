"""Containers as inspect would tell them, running unless told otherwise."""

from homeostat.containers import Container


def container(name="shop-web-1", project="shop", service="web", addresses=("172.18.0.2",), grace_s=0.0, **labels):
    """``labels``: with ``__`` for each dot."""
    compose = {"com.docker.compose.project": project, "com.docker.compose.service": service} if project else {}
    return Container(
        id=name * 4,
        name=name,
        image="shop",
        labels=compose | {key.replace("__", "."): value for key, value in labels.items()},
        status="running",
        health="none",
        exit_code=0,
        oom_killed=False,
        restart_count=0,
        restart_policy="no",
        pid=1,
        started_at=1.0,
        finished_at=None,
        memory_limit=0,
        addresses=addresses,
        start_period_s=grace_s,
    )
