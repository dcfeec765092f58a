"""Where a panel or a name in it leads."""

from dataclasses import dataclass

#: What Prometheus's rules write before an alert's name, too.
RUNBOOKS = "https://github.com/homeostat/homeostat/blob/main/docs/runbooks"


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str


def runbook(alert: str) -> Link:
    return Link(f"Runbook {alert}", f"{RUNBOOKS}/{alert}.md")


def to_dashboard(uid: str, variable: str = "", value: str = "${__value.raw}") -> str:
    """The address of another dashboard over the time that is shown here, with its variable set."""
    chosen = f"var-{variable}={value}&" if variable else ""
    return f"/d/{uid}?{chosen}${{__url_time_range}}"
