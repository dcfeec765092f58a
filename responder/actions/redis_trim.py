"""Give memory of a Redis back: idle keys of the owner's pattern, and what the allocator holds. Other keys stay."""

from typing import TYPE_CHECKING

from homeostat.steps import RedisTrimStep, Step
from responder.actions.addresses import addresses_of
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.deadline import Deadline
from responder.targets import Target

if TYPE_CHECKING:
    from responder.actions.rediskeys import Memory, Trimmed

_MIB = 2**20


class RedisTrim:
    """One server after another, with one budget of keys for all."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        from responder.actions.rediskeys import trim  # noqa: PLC0415 - redis-py is 8 MB

        assert isinstance(step, RedisTrimStep)  # noqa: S101 - the table pairs them
        deadline = Deadline.of_step(step.timeout, tools.clock)
        trimmed: dict[str, Trimmed] = {}
        for address in addresses_of(step.target, target):
            left = step.max_keys - sum(each.keys for each in trimmed.values())
            trimmed[address] = await trim(address, step, left, deadline)
        if not trimmed:
            return Skipped(f"{step.target}: no container of it has an address now")
        if not step.purge and not any(each.keys for each in trimmed.values()):
            return Skipped(f"{step.target}: no key of {step.pattern} may go")
        return Applied("; ".join(_told(step, address, each) for address, each in trimmed.items()))


def _told(step: RedisTrimStep, address: str, trimmed: "Trimmed") -> str:
    keys = f"{trimmed.keys} keys of {step.pattern} deleted, " if step.pattern is not None else ""
    cut = ", not all for want of time" if trimmed.is_cut else ""
    return f"Redis at {address}: {keys}memory {_sizes(trimmed.before)} before, {_sizes(trimmed.after)} now{cut}"


def _sizes(memory: "Memory") -> str:
    return f"{memory.used / _MIB:.1f} MiB used and {memory.resident / _MIB:.1f} MiB resident"
