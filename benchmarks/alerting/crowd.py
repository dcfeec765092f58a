"""The exporter's pages for very many containers, made from the tables of its collectors: every metric that there is."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from exporters.collectors import COLLECTORS
from exporters.probetally import BOUNDS_S
from homeostat.families import Metric, MetricType, buckets, labels

#: What labels say beside the workload's own; one series for each value. Others have one that is as good as any.
_VALUES = {
    "verdict": ("healthy",),
    "resource": ("memory", "fds", "threads"),
    "mountpoint": ("/", "/data", "/backup"),
    "state": ("running",),
    "health": ("healthy",),
    "role": ("liveness",),
    "reason": ("",),
    "source": ("docker",),
    "mode": ("user", "system", "iowait", "idle"),
    "estimate": ("median",),
}
_PROBE = "http"
#: One in so many is a database; so many files are managed and processes supervised.
_DATABASE_EVERY = 30
_FEW = 10
#: Gauges that are not 1 where all is well.
_ZERO = ("stopped_by_request", "crash_looping", "oom_killed", "damaged", "drifted", "outdated", "stale", "readonly")
#: Counters that stand still where all is well.
_NEVER = ("failures", "oom_", "restarts", "evicted", "rejected", "throttled")
_LARGE = ("limit", "max", "size_bytes", "_total_bytes", "available_bytes", "inodes")
_EPOCH = "timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Crowd:
    """``containers`` of as many workloads, all of them well."""

    containers: int
    began: float = field(default_factory=time.time)

    def page(self, collectors: Sequence[str]) -> str:
        """Of these collectors, now. Counters grow by one a second."""
        grown = int(time.time() - self.began) + 1
        return "".join(self._text(metric, grown) for name in collectors for metric in COLLECTORS[name].METRICS)

    def owners(self, metric: Metric) -> Iterator[dict[str, str]]:
        """The labels of its series, without those of _VALUES."""
        if not metric.name.startswith("homeostat_") or _only_in_trouble(metric.name):
            return
        if metric.name.startswith("homeostat_process") or "file" in metric.labels:
            yield from ({"workload": f"local/p{number}", "file": f"f{number}"} for number in range(_FEW))
        elif "workload" not in metric.labels:
            yield {}
        else:
            every = _DATABASE_EVERY if metric.name.startswith(("homeostat_redis", "homeostat_postgres")) else 1
            for number in range(0, self.containers, every):
                yield {"workload": f"crowd/w{number}", "container": f"crowd-w{number}-1", "probe": _PROBE}

    def _text(self, metric: Metric, grown: int) -> str:
        lines = [metric.text_head]
        for owner in self.owners(metric):
            for rendered in _rendered(metric, owner):
                if metric.type is MetricType.HISTOGRAM:
                    counts = dict.fromkeys(BOUNDS_S, grown)
                    pairs = {name: value for name, value in owner.items() if name in metric.labels}
                    lines += [f"{metric.name}{name} {value}\n" for name, value in buckets(pairs, counts, grown * 0.1)]
                else:
                    lines.append(f"{metric.name}{rendered} {self._value(metric, grown)}\n")
        return "".join(lines)

    def _value(self, metric: Metric, grown: int) -> float:
        if metric.type is MetricType.COUNTER:
            return 0 if any(part in metric.name for part in _NEVER) else grown
        if metric.name.endswith("last_sample_timestamp_seconds"):
            return time.time()
        if metric.name.endswith(_EPOCH):
            return self.began + (90 * 86400 if "expiry" in metric.name else -86400)
        if any(part in metric.name for part in _ZERO):
            return 0
        if metric.name.endswith("_ratio"):
            return 0.5
        return 1e9 if any(part in metric.name for part in _LARGE) else 1


def _only_in_trouble(name: str) -> bool:
    """Absent while all is well."""
    if "idle_in_transaction" in name:
        return True
    return name.startswith("homeostat_leak_") and not name.endswith(("verdict", "last_sample_timestamp_seconds"))


def _rendered(metric: Metric, owner: dict[str, str]) -> list[str]:
    sets: list[dict[str, str]] = [{}]
    for name in metric.labels:
        values = (owner[name],) if name in owner else _VALUES.get(name, ("any",))
        sets = [{**pairs, name: value} for pairs in sets for value in values]
    return [labels(pairs) for pairs in sets]


def application(crowd: Crowd) -> web.Application:
    """As the exporter answers; without ``collect[]``, an empty page: other jobs are sent here, too."""

    async def page(request: web.Request) -> web.Response:
        # OpenMetrics is not what this is: Prometheus takes the older format as well.
        return web.Response(text=crowd.page(request.query.getall("collect[]", [])), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", page)
    return app
