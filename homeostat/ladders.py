"""Ladders: ordered steps of repair, from the least force to the most. Data only; the responder acts.

One model per action, named by its ``action`` key. Adding an action: a model here and in ``Step``, a file in
responder/actions and a line in its table.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from homeostat.quantities import Duration, Period
from homeostat.structure import Tagged


class Tier(StrEnum):
    """How much force a step uses. Caps count the hard ones."""

    SOFT = "soft"
    MEDIUM = "medium"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """When a step counts as having worked.

    ``within``: the evidence must become good in this time after the step (a start grace of the workload is added).
    ``hold``: and then stay good, every second, for this time.
    """

    within: Duration = 10.0
    hold: Duration = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStep:
    """POST to a hook that the application offers. Workloads without that hook skip the step."""

    action: Literal["hook"]
    hook: str
    # Short: an application that cannot answer its hook within two seconds needs the next rung.
    timeout: Period = 2.0
    verify: Verification = Verification(within=6.0)

    @property
    def tier(self) -> Tier:
        return Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpauseStep:
    """Let a paused container run on. Skipped when it is not paused."""

    action: Literal["unpause"]
    timeout: Period = 5.0
    verify: Verification = Verification()

    @property
    def tier(self) -> Tier:
        return Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartStep:
    """Restart the container or supervised process.

    ``grace``: how long it may take to stop before it is killed; None keeps the container's own.
    """

    action: Literal["restart"]
    grace: Duration | None = None
    timeout: Period = 40.0
    verify: Verification = Verification(within=15.0)

    @property
    def tier(self) -> Tier:
        return Tier.HARD


Step = Annotated[HookStep | UnpauseStep | RestartStep, Tagged("action")]


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
