"""Ladders: ordered steps of repair, from the least force to the most. Data only; the responder acts."""

from dataclasses import dataclass

from homeostat.steps import HookStep, RestartStep, Step, UnpauseStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """``steps`` in order of force. ``escalate``: whether people are told when the steps are used up."""

    steps: tuple[Step, ...] = ()
    escalate: bool = True


#: One ladder per remedy of the shipped rules.
DEFAULT_LADDERS: dict[str, Ladder] = {
    "down": Ladder(steps=(RestartStep(action="restart"),)),
    "unresponsive": Ladder(
        steps=(
            UnpauseStep(action="unpause"),
            HookStep(action="hook", hook="reset-connections"),
            # A process that does not answer its probe seldom answers SIGTERM either: do not wait long for it.
            RestartStep(action="restart", grace=3.0),
        )
    ),
    "memory": Ladder(
        steps=(
            HookStep(action="hook", hook="gc"),
            HookStep(action="hook", hook="cache-clear"),
            RestartStep(action="restart"),
        )
    ),
    # Something restarts it again and again already: one more restart is no repair.
    "crash_loop": Ladder(),
    # Healed by Docker's restart policy or the guardian: kept in the ledger, nobody is called.
    "record": Ladder(escalate=False),
}
