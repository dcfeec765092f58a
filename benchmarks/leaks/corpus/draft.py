"""From what a maker drew, in shares of the limit, to a trace as a sampler would have recorded it."""

from array import array
from dataclasses import dataclass, field
from operator import truediv

from benchmarks.leaks.corpus.stage import Stage
from benchmarks.leaks.trace import Leak, Trace

_HEALTHY_TOP = 0.95
_PAGE = 4096.0


@dataclass(slots=True)
class Draft:
    """``path``: the value at each sample as a share of the limit at the begin; shorter than the stage when it ends in
    an exhaustion. ``limits``: the limit in the same unit, where it changes. ``starts``: where it is not only that of
    the stage. ``gaps``: ranges of samples that were not taken. ``clock``: by how many seconds the sampler's clock is
    wrong.
    """

    stage: Stage
    path: list[float]
    leaks: tuple[Leak, ...] = ()
    starts: tuple[float, ...] = ()
    limits: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    gaps: tuple[tuple[int, int], ...] = ()
    clock: list[float] = field(default_factory=list)


def record(draft: Draft, name: str, family: str) -> Trace:
    """Integer resources come in whole numbers, memory in whole pages."""
    stage, count = draft.stage, len(draft.path)
    grain = _PAGE if stage.resource == "memory" else 1.0
    grains = stage.limit / grain
    limits = draft.limits or [1.0] * count
    path = draft.path if draft.leaks else _fitted(draft.path, limits)
    taken = _taken(draft.gaps, count)
    times = list(map(float.__add__, stage.at, draft.clock)) if draft.clock else stage.at
    return Trace(
        name=name,
        family=family,
        resource=stage.resource,
        times=array("d", [times[i] for i in taken]),
        values=array("d", [max(0, int(path[i] * grains)) * grain for i in taken]),
        limits=array("d", [round(limits[i] * grains) * grain for i in taken]),
        starts=tuple(_shown(draft, at) for at in draft.starts or (stage.started,)),
        work=array("d", [float(int(draft.work[i])) for i in taken] if draft.work else ()),
        leaks=tuple(
            Leak(_shown(draft, leak.onset), _shown(draft, leak.exhaustion), _shown(draft, leak.ends))
            for leak in draft.leaks
        ),
    )


def _fitted(path: list[float], limits: list[float]) -> list[float]:
    """The same shape, lower where the sum of its parts would exhaust a healthy container."""
    top = max(map(truediv, path, limits))
    return [share * _HEALTHY_TOP / top for share in path] if top > _HEALTHY_TOP else path


def _taken(gaps: tuple[tuple[int, int], ...], count: int) -> list[int]:
    lost = {index for low, high in gaps for index in range(low, high)}
    return [index for index in range(count) if index not in lost] if lost else list(range(count))


def _shown(draft: Draft, moment: float) -> float:
    """A moment within the trace, as the sampler's clock had it: what an alarm of that moment carries."""
    if not draft.clock or moment < draft.stage.begin:
        return moment
    return moment + draft.clock[draft.stage.index(moment)]
