"""One workload: what it did, what it used, what was done about it."""

from grafana.dashboards.states import GOOD_BAD, UNDER_WAY
from grafana.lib import Color, Dashboard, Panel, Query, State, StateTimeline, TimeSeries, Unit, Variable
from homeostat import names

HERE = '{workload="$workload"}'
INSTANCE = "container, process"
#: Container states are Docker's, process states the guardian's. 0 is none of them.
STATES = tuple(
    State(number, text, color)
    for number, (text, color) in enumerate(
        (
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
        ),
        start=1,
    )
)


def state_number(metric: str) -> str:
    """One series per instance, whose value is the number of its state in ``STATES``."""
    of_each = (f'{metric}{{workload="$workload", state="{state.text}"}} * {state.number}' for state in STATES)
    return f"max by ({INSTANCE}) (\n  " + "\n  or ".join(of_each) + "\n)"


def per_instance(metric: str, condition: str = "") -> str:
    """One series per instance, however many exporters see it."""
    return f"max by ({INSTANCE}) ({metric}{HERE}{condition})"


def increases(metric: str) -> str:
    return f"max by ({INSTANCE}) (increase({metric}{HERE}[$__rate_interval]))"


def cpu(metric: str) -> str:
    return f"max by ({INSTANCE}) (rate({metric}{HERE}[$__rate_interval]))"


WORKLOAD = Dashboard(
    uid="homeostat-workload",
    title="homeostat / Workload",
    description="One workload: its state, probes, resources, restarts and recoveries.",
    tags=("homeostat",),
    variables=(Variable("workload", "Workload", f"label_values({names.WORKLOAD_ENABLED}, workload)"),),
    panels=(
        Panel(
            "State",
            "Each container as Docker tells it, each process as the guardian does. Gone is not the same as exited.",
            Unit.NONE,
            StateTimeline(
                (
                    Query(state_number(names.CONTAINER_STATE), "{{container}}"),
                    Query(state_number(names.PROCESS_STATE), "{{process}}"),
                ),
                STATES,
            ),
        ),
        Panel(
            "Recoveries",
            "When the responder worked on it. Those shorter than its scrape interval may be missing here.",
            Unit.NONE,
            StateTimeline(
                (Query(f"clamp_max(max(max_over_time(homeostat_recovery_active{HERE}[$__interval])), 1)", "recovery"),),
                UNDER_WAY,
            ),
        ),
        Panel(
            "Probes",
            "Whether it answered, seen from outside. One failure within a step makes the step failing.",
            Unit.NONE,
            StateTimeline(
                (
                    Query(
                        f"min by (container, probe) (min_over_time({names.PROBE_SUCCESS}{HERE}[$__interval]))",
                        "{{container}} {{probe}}",
                    ),
                ),
                GOOD_BAD,
            ),
        ),
        Panel(
            "Duration of probes",
            "How long the last check took. What slows down before it fails shows here first.",
            Unit.SECONDS,
            TimeSeries(
                (
                    Query(
                        f"max by (container, probe) ({names.PROBE_LAST_DURATION}{HERE})",
                        "{{container}} {{probe}}",
                    ),
                )
            ),
        ),
        Panel(
            "Memory",
            "Anonymous memory of containers, which page cache does not hide, and resident memory of processes, each "
            "with its limit if it has one.",
            Unit.BYTES,
            TimeSeries(
                (
                    Query(per_instance(names.CONTAINER_MEMORY_ANON), "{{container}}"),
                    Query(per_instance(names.CONTAINER_MEMORY_LIMIT, " > 0"), "{{container}} limit"),
                    Query(per_instance(names.PROCESS_RSS), "{{process}}"),
                    Query(per_instance(names.PROCESS_MEMORY_LIMIT, " > 0"), "{{process}} limit"),
                )
            ),
        ),
        Panel(
            "CPU",
            "CPU seconds per second: 1 is one core in full use.",
            Unit.COUNT,
            TimeSeries(
                (
                    Query(cpu(names.CONTAINER_CPU), "{{container}}"),
                    Query(cpu(names.PROCESS_CPU), "{{process}}"),
                )
            ),
        ),
        Panel(
            "Restarts",
            "By Docker's restart policy or by the guardian, not by the responder.",
            Unit.COUNT,
            TimeSeries(
                (
                    Query(increases(names.CONTAINER_RESTARTS), "{{container}}"),
                    Query(increases(names.PROCESS_RESTARTS), "{{process}}"),
                ),
                has_bars=True,
            ),
        ),
        Panel(
            "OOM kills",
            "Processes that the kernel killed for lack of memory. A child's kill may leave the container running.",
            Unit.COUNT,
            TimeSeries((Query(increases(names.CONTAINER_OOM_KILLS), "{{container}}"),), has_bars=True),
        ),
    ),
)
