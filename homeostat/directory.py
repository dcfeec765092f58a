"""Which workloads there are: homeostat.yml and container labels together, resolved to targets.

homeostat.yml wins over labels, workload by workload: what stands in the file is the whole of it.
"""

import dataclasses
from collections.abc import Iterable

from homeostat.containers import Container
from homeostat.errors import NotFound, SettingsError
from homeostat.probespec import ADDRESSED
from homeostat.settings import Settings
from homeostat.workloadlabels import from_labels
from homeostat.workloads import LOCAL, HookSpec, Kind, ProbeSpec, Workload
from homeostat.workloadspec import WorkloadSpec


def describe(workload_id: str, containers: Iterable[Container], settings: Settings) -> Workload:
    """The workload of this id with these containers (all of them its own).

    Raises NotFound when neither homeostat.yml nor a container knows it, SettingsError for bad labels.
    """
    project, _, name = workload_id.partition("/")
    own = list(containers)
    kind = Kind.PROCESS if project == LOCAL else Kind.CONTAINER
    if kind is Kind.PROCESS and name not in settings.processes:
        if own:
            raise SettingsError(
                [f"{own[0].name}: project {LOCAL!r} is for processes of homeostat.yml; allowed: any other project name"]
            )
        raise NotFound(f"no process {name!r} in homeostat.yml")
    spec = settings.workloads.get(workload_id)
    if spec is None and kind is Kind.PROCESS:
        spec = WorkloadSpec()
    if spec is None:
        if not own:
            raise NotFound(f"no workload {workload_id!r}: not in homeostat.yml and no container carries it")
        spec = from_labels(own[0].labels, own[0].name)
    workload = spec.to_workload(workload_id, kind)
    grace_s = max([workload.start_grace_s, *(c.start_period_s for c in own)])
    needed = (*workload.depends_on, *(needed for c in own for needed in c.depends_on if needed != workload_id))
    return dataclasses.replace(workload, start_grace_s=grace_s, depends_on=tuple(dict.fromkeys(needed)))


def group_by_workload(containers: Iterable[Container], settings: Settings) -> dict[str, list[Container]]:
    """Every workload id there is, in order, with its containers."""
    groups: dict[str, list[Container]] = {name: [] for name in settings.workloads}
    groups |= {f"{LOCAL}/{name}": [] for name in settings.processes}
    for container in containers:
        groups.setdefault(container.workload_id, []).append(container)
    return dict(sorted(groups.items()))


def describe_all(containers: Iterable[Container], settings: Settings) -> tuple[list[Workload], list[str]]:
    """All workloads, and the problems of those whose labels are wrong (they are left out: fail closed)."""
    workloads: list[Workload] = []
    problems: list[str] = []
    for workload_id, own in group_by_workload(containers, settings).items():
        try:
            workloads.append(describe(workload_id, own, settings))
        except SettingsError as err:
            problems.extend(err.problems)
            workloads.append(Workload(workload_id, Kind.CONTAINER))
    return workloads, problems


def resolve_probe(spec: ProbeSpec, container: Container | None) -> ProbeSpec | None:
    """``spec`` with a host. None when it goes to a container that has no address now."""
    if spec.kind not in ADDRESSED or not spec.target.startswith(":"):
        return spec
    if container is None or not container.addresses:
        return None
    host = container.addresses[0]
    target = f"http://{host}{spec.target}" if spec.kind == "http" else f"{host}{spec.target}"
    return dataclasses.replace(spec, target=target)


def resolve_hook(hook: HookSpec, container: Container | None) -> str | None:
    """The hook's full URL, or None when its container has no address now."""
    resolved = resolve_probe(ProbeSpec("http", hook.url, 0, 0), container)
    return resolved.target if resolved else None
