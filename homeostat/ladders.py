"""Ladders: ordered steps of repair, from the least force to the most. Data only; the responder acts."""

from dataclasses import dataclass

from homeostat import names
from homeostat.steps import (
    ConfigDiffStep,
    ConfigRestoreStep,
    EvidenceStep,
    HookStep,
    RestartStep,
    Step,
    UnpauseStep,
    Verification,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """``steps`` in order of force. ``escalate``: whether people are told when the steps are used up."""

    steps: tuple[Step, ...] = ()
    escalate: bool = True


#: The exporter's detector needs up to a minute to see that what grew was given back, and Prometheus 15 s to hear of it.
_VERDICT_LAG_S = 80.0
#: Over at least one more reading.
_VERDICT_HOLD_S = 20.0
#: That its rule is no longer true says only that nobody calls it a leak: nor does an exporter that was started anew,
#: and knows nothing yet of anything.
_JUDGED = f'{names.LEAK_VERDICT}{{workload=$workload,verdict="healthy"}}'
#: There is no hurry: a collection of a large heap may take its time.
_UNHURRIED_S = 10.0


def _give_back(hook: str, lag_s: float = _VERDICT_LAG_S) -> HookStep:
    """A hook against a leak, believed when the detector sees that the floor has fallen."""
    seen = Verification(lag=lag_s, hold=_VERDICT_HOLD_S, promql=_JUDGED)
    return HookStep(action="hook", hook=hook, timeout=_UNHURRIED_S, verify=seen)


_RESTART_OF_A_LEAK = RestartStep(action="restart", verify=Verification(within=15.0, lag=75.0, hold=_VERDICT_HOLD_S))
#: An application's page is read every 15 s, and one that is not read says nothing of its pools.
_POOLS_TOLD = Verification(
    within=15.0, lag=30.0, hold=20.0, promql='count({__name__=~"app_pool_(waiting|timeouts_total)",workload=$workload})'
)


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
    "leak_evidence": Ladder(steps=(EvidenceStep(action="evidence", hook="heap"),), escalate=False),
    # The heap once more: between then and now it has grown by what leaks. No restart and nobody called at the end: that
    # has time until LeakRestartDue, or LeakExhausting should it be sooner; people read of the leak meanwhile
    # (alertmanager.yml).
    "leak": Ladder(
        steps=(
            EvidenceStep(action="evidence", hook="heap"),
            _give_back("gc"),
            _give_back("cache-clear"),
            _give_back("reset-connections"),
        ),
        escalate=False,
    ),
    "leak_restart": Ladder(steps=(_RESTART_OF_A_LEAK,)),
    # A minute for each hook of the half hour that is left, though the verdict may take longer: then a restart that was
    # not needed is the lesser harm.
    "leak_exhausting": Ladder(
        steps=(_give_back("gc", lag_s=50.0), _give_back("cache-clear", lag_s=50.0), _RESTART_OF_A_LEAK)
    ),
    "pool": Ladder(
        steps=(
            HookStep(action="hook", hook="reset-connections", timeout=5.0, verify=_POOLS_TOLD),
            RestartStep(action="restart", verify=_POOLS_TOLD),
        )
    ),
    # People hear of it by the alert itself (alertmanager.yml).
    "config_diff": Ladder(steps=(ConfigDiffStep(action="config_diff"),), escalate=False),
    "config_restore": Ladder(steps=(ConfigRestoreStep(action="config_restore"),)),
    # Who has read what was wrong in a file reads it again.
    "config_restart": Ladder(steps=(RestartStep(action="restart"),)),
    # Healed by Docker's restart policy or the guardian: kept in the ledger, nobody is called.
    "record": Ladder(escalate=False),
}
