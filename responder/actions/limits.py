"""Raise the limits of containers for a time. Nothing is restarted; a later start of the same container keeps them."""

from dataclasses import dataclass

from homeostat.containers import Engine
from homeostat.errors import NotFound, NotSupported, Temporary
from homeostat.steps import LimitsStep, Step
from responder.actions.base import Applied, Memo, Skipped, Tools
from responder.actions.memos import read_memo, write_memo
from responder.actions.raised import Limits, Raise, is_as_before, mib, plan_raise, still_ours, used_bytes
from responder.targets import Target

#: Above what a container uses now: with less than that it would be killed, or the kernel would refuse.
_ROOM = 1.1
#: How soon there may be room.
_AGAIN_S = 60.0
_STATS_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class _Raised:
    containers: tuple[Raise, ...]


class RaiseLimits:
    """All running containers of the target that have a limit."""

    async def prepare(self, step: Step, target: Target, tools: Tools) -> Memo | Skipped:
        assert isinstance(step, LimitsStep)  # noqa: S101 - the table pairs them
        planned = await _plan(step, target, tools.engine)
        return planned if isinstance(planned, Skipped) else write_memo(planned)

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, LimitsStep)  # noqa: S101 - the table pairs them
        planned = await _plan(step, target, tools.engine)
        if isinstance(planned, Skipped):
            return planned
        assert tools.engine is not None  # noqa: S101 - nothing is planned without one
        for each in planned.containers:
            await tools.engine.update(each.id, each.set.memory, each.set.memory_swap, each.set.nano_cpus)
        return Applied("; ".join(each.words for each in planned.containers))

    async def undo(self, step: Step, memo: Memo, tools: Tools) -> str:
        """Raises Temporary when a container uses too much for its old limit now; the others are put back by then."""
        assert isinstance(step, LimitsStep)  # noqa: S101 - the table pairs them
        if tools.engine is None:
            raise NotSupported("no container engine is configured")
        found = [await _put_back(each, tools.engine) for each in read_memo(_Raised, memo).containers]
        words = "; ".join(each.words for each in found)
        if not all(each.is_done for each in found):
            raise Temporary(words, _AGAIN_S)
        return words


@dataclass(frozen=True, slots=True)
class _PutBack:
    """What became of one container. Not done: it uses too much for its old limit now."""

    words: str
    is_done: bool = True


async def _plan(step: LimitsStep, target: Target, engine: Engine | None) -> _Raised | Skipped:
    if engine is None or not target.containers:
        return Skipped("not a container")
    host = await engine.host()
    found = [plan_raise(step, container, host) for container in target.containers]
    raised = tuple(each for each in found if isinstance(each, Raise))
    return _Raised(raised) if raised else Skipped("; ".join(map(str, found)))


async def _put_back(raised: Raise, engine: Engine) -> _PutBack:
    try:
        container = await engine.inspect(raised.id)
        back = still_ours(raised, container)
        if back == Limits():
            state = "has the limits of before" if is_as_before(raised, container) else "was given others meanwhile"
            return _PutBack(f"{raised.name} {state}: left as it is")
        used = await _used(raised.id, engine) if back.memory is not None and container.is_running else 0
    except NotFound:
        return _PutBack(f"{raised.name} is gone")
    if back.memory is None or used * _ROOM <= back.memory:
        await engine.update(raised.id, back.memory, back.memory_swap, back.nano_cpus)
        return _PutBack(f"{raised.name} has the limits of before again")
    if back.nano_cpus is not None:
        await engine.update(raised.id, None, None, back.nano_cpus)
    return _PutBack(f"{raised.name} uses {mib(used)}, too much for its {mib(back.memory)} of before", is_done=False)


async def _used(container_id: str, engine: Engine) -> int:
    used = used_bytes(await engine.stats(container_id, _STATS_TIMEOUT_S))
    if used is None:
        raise NotSupported("the engine does not tell how much memory the container uses, so its limit is left")
    return used
