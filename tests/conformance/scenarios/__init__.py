"""Every scenario, in the order of the table. Adding one: a file here (or a neighbour's), a line below."""

from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import (
    answers,
    episodes,
    groups,
    muting,
    pair,
    redelivery,
    resolved,
    truncation,
)

SCENARIOS: tuple[Scenario, ...] = (
    answers.PROMPT_ANSWER,
    answers.ANSWER_LOST,
    redelivery.REPEAT_INTERVAL,
    redelivery.ROUTE_EDIT,
    redelivery.ALERTMANAGER_KILLED,
    redelivery.LATE_COPY,
    groups.GROUP_MEMBERS,
    groups.MIXED_GROUP,
    truncation.TRUNCATED_HIDDEN,
    truncation.TRUNCATED_RESOLVED,
    episodes.ZERO_END,
    episodes.MOVED_START,
    episodes.SECOND_TROUBLE,
    episodes.NO_RESOLVED,
    resolved.SILENT_SENDER,
    resolved.OWN_ACTION,
    muting.SILENCED_IN_FLIGHT,
    muting.SILENCED_BETWEEN,
    muting.INHIBITED_BETWEEN,
    pair.TWO_PEERS,
    pair.OTHER_PEER_LATE,
)

#: Of all scenarios: a receiver that allows workloads by name needs them all.
WORKLOADS: tuple[str, ...] = tuple(workload for scenario in SCENARIOS for workload in scenario.workloads)
