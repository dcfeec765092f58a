"""What is watched, and the thresholds that rules compare with: they come out of homeostat.yml and labels as metrics."""

from dataclasses import dataclass

from exporters.catalog import Catalog
from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, gauge, labels
from homeostat.workloads import Kind

_INFO = gauge(names.WORKLOAD_INFO, "Every workload, by what carries it.", names.WORKLOAD, "kind")
_ENABLED = gauge(names.WORKLOAD_ENABLED, "Whether its owner opted in to repair.", names.WORKLOAD)
_INSTANCES = gauge(names.WORKLOAD_INSTANCES, "Containers or processes that exist, running or not.", names.WORKLOAD)
_MEMORY = gauge(names.WORKLOAD_MEMORY_THRESHOLD, "Share of the memory limit that counts as too much.", names.WORKLOAD)
_GRACE = gauge(names.WORKLOAD_START_GRACE, "How long after a start failing probes say nothing.", names.WORKLOAD)
_OBJECTIVE = gauge(
    names.WORKLOAD_OBJECTIVE, "Share of the time in which it is to be available; absent without one.", names.WORKLOAD
)
_VALID = gauge(
    names.WORKLOAD_LABELS_VALID, "Whether its labels can be read; 0 turns repair off, see the log.", names.WORKLOAD
)
METRICS: tuple[Metric, ...] = (_INFO, _ENABLED, _INSTANCES, _MEMORY, _GRACE, _OBJECTIVE, _VALID)


def make(sources: Sources) -> "WorkloadsCollector":
    return WorkloadsCollector(sources.catalog)


@dataclass(frozen=True, slots=True)
class WorkloadsCollector:
    """Everything that the catalog knows."""

    catalog: Catalog

    @property
    def name(self) -> str:
        return "workloads"

    async def collect(self) -> list[Family]:
        info, enabled, instances = _INFO.family(), _ENABLED.family(), _INSTANCES.family()
        memory, grace, valid = _MEMORY.family(), _GRACE.family(), _VALID.family()
        objective = _OBJECTIVE.family()
        for entry in self.catalog.entries():
            workload = entry.workload
            rendered = labels({names.WORKLOAD: workload.id})
            info.add(labels({names.WORKLOAD: workload.id, "kind": workload.kind}), 1)
            enabled.add(rendered, workload.enabled)
            instances.add(rendered, 1 if workload.kind is Kind.PROCESS else len(entry.containers))
            memory.add(rendered, workload.memory_threshold)
            grace.add(rendered, workload.start_grace_s)
            if workload.objective is not None:
                objective.add(rendered, workload.objective)
            valid.add(rendered, not entry.problems)
        return [info, enabled, instances, memory, grace, objective, valid]
