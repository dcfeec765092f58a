"""What numbers mean on more than one dashboard."""

from grafana.dashboards.steps import worst
from grafana.lib import Color, State

GOOD_BAD = (State(0, "failing", Color.RED), State(1, "good", Color.GREEN))
UNDER_WAY = (State(0, "none", Color.GREEN), State(1, "under way", Color.ORANGE))
YES_NO = (State(0, "no", Color.GREY), State(1, "yes", Color.GREEN))
#: Where "yes" is the trouble.
BAD_IF_YES = (State(0, "no", Color.GREEN), State(1, "yes", Color.RED))
FIRING = (State(0, "quiet", Color.GREEN), State(1, "pending", Color.BLUE), State(2, "firing", Color.RED))


#: How a recovery ended.
FINALS = (
    ("verified", Color.GREEN),
    ("self_resolved", Color.BLUE),
    ("rolled_back", Color.ORANGE),
    ("escalated", Color.RED),
)


def numbered(*states: tuple[str, Color]) -> tuple[State, ...]:
    """Numbers from 1: 0 is none of them."""
    return tuple(State(number, text, color) for number, (text, color) in enumerate(states, start=1))


#: Docker's own health checks. The worst of all containers wins: the numbers rise with the trouble.
DOCKER_HEALTH = (
    State(0, "no check", Color.GREY),
    *numbered(
        ("healthy", Color.GREEN),
        ("starting", Color.BLUE),
        ("unhealthy", Color.RED),
    ),
)
#: homeostat's own, by causes and consequences: docs/health.md.
WORKLOAD_HEALTH = numbered(
    ("unknown", Color.GREY),
    ("healthy", Color.GREEN),
    ("degraded", Color.ORANGE),
    ("unhealthy", Color.RED),
)
#: Container states are Docker's, process states the guardian's.
RUN_STATES = numbered(
    ("running", Color.GREEN),
    ("created", Color.BLUE),
    ("starting", Color.BLUE),
    ("paused", Color.ORANGE),
    ("restarting", Color.ORANGE),
    ("backoff", Color.ORANGE),
    ("removing", Color.GREY),
    ("stopped", Color.GREY),
    ("exited", Color.RED),
    ("dead", Color.RED),
    ("crash_looping", Color.RED),
)
LEAK_VERDICTS = numbered(
    ("insufficient_data", Color.GREY),
    ("healthy", Color.GREEN),
    ("warming", Color.BLUE),
    ("suspect", Color.ORANGE),
    ("leak", Color.RED),
    ("exhausting", Color.RED),
)


def state_number(
    metric: str, label: str, states: tuple[State, ...], by: str, where: str = "", *, is_over_time: bool = False
) -> str:
    """One series per ``by``: the highest number of the states that ``label`` tells, now or of the whole step."""
    matchers = f", {where}" if where else ""
    selectors = ((f'{metric}{{{label}="{state.text}"{matchers}}}', state.number) for state in states if state.number)
    of_each = (f"{worst(selector) if is_over_time else selector} * {number}" for selector, number in selectors)
    return f"max by ({by}) (\n  " + "\n  or ".join(of_each) + "\n)"
