"""End sessions that hold on for too long: idle in a transaction, or in one statement. One user's, in one database."""

from typing import TYPE_CHECKING

from homeostat.steps import PgReleaseStep, Step
from responder.actions.addresses import addresses_of
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.deadline import Deadline
from responder.targets import Target

if TYPE_CHECKING:
    from responder.actions.pgsessions import Ended


class PgRelease:
    """One server after another, with one budget of sessions for all."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        from responder.actions.pgsessions import release  # noqa: PLC0415 - asyncpg is 5 MB

        assert isinstance(step, PgReleaseStep)  # noqa: S101 - the table pairs them
        deadline = Deadline.of_step(step.timeout, tools.clock)
        place, _, database = step.target.partition("/")
        ended: dict[str, list[Ended]] = {}
        for address in addresses_of(place, target):
            if ended and deadline.is_over:
                break
            left = step.max_sessions - sum(map(len, ended.values()))
            ended[address] = await release(address, database, step, left, deadline)
        if not ended:
            return Skipped(f"{step.target}: no container of it has an address now")
        role = step.sessions_of or step.user
        if not any(ended.values()):
            return Skipped(f"{step.target}: no session of {role} holds on for too long")
        return Applied("; ".join(_told(role, f"{at}/{database}", each) for at, each in ended.items() if each))


def _told(role: str, place: str, ended: "list[Ended]") -> str:
    each = ", ".join(f"pid {session.pid} {session.state} for {session.age_s:.0f} s" for session in ended)
    return f"{len(ended)} of {role} ended at {place}: {each}"
