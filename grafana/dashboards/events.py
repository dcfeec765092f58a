"""What is drawn over the panels of every dashboard: repairs, deployments, faults that were injected on purpose."""

from grafana.lib import Annotation, Color
from homeostat import names


def events(where: str = "") -> tuple[Annotation, ...]:
    """``where``: a matcher of the workload, or of none."""
    return (
        Annotation(
            "Repairs",
            Color.ORANGE,
            expr=f"""max by ({names.WORKLOAD}, alertname) (
  max_over_time(ALERTS{{{_join('alertstate="firing", remedy!="", remedy!="record"', where)}}}[$__interval])
)""",
            title="{{alertname}}",
            text="{{workload}}: the responder was called. What it did is in the ledger: `homeostat recoveries`.",
        ),
        Annotation(
            "Deployments",
            Color.BLUE,
            # New is what was not there one step ago; but not when nothing was measured then.
            expr=f"""count by ({names.WORKLOAD}, image) (
  {_info(where)} unless on ({names.WORKLOAD}, id) {_info(where)} offset $__interval
) and on () count({names.CONTAINER_INFO} offset $__interval)""",
            title="New container",
            text="{{workload}} runs in a new container of {{image}}.",
        ),
        # Whoever breaks something on purpose may say so: docs/dashboards.md.
        Annotation("Chaos", Color.PURPLE, tag="chaos"),
    )


def _join(*matchers: str) -> str:
    return ", ".join(matcher for matcher in matchers if matcher)


def _info(where: str) -> str:
    return f"{names.CONTAINER_INFO}{{{where}}}" if where else names.CONTAINER_INFO
