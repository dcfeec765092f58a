"""What Grafana does to an expression before it asks: its own variables, and what was chosen at the top."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from grafana.lib import Dashboard
from grafana.lib.views import SCRAPE_S

#: As the dashboards' variables say it to Prometheus.
ALL = ".+"
#: Grafana asks for a point per pixel of a panel or two; more than these would not be seen.
_POINTS = 240


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is shown, in epoch seconds, and what is chosen of each variable."""

    start: float
    end: float
    chosen: Mapping[str, str] = field(default_factory=dict)

    def step_s(self, least_s: int = SCRAPE_S) -> int:
        return max(least_s, math.ceil((self.end - self.start) / _POINTS))

    def fill(self, expr: str, step_s: int) -> str:
        """As Prometheus gets it."""
        # https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/#use-__rate_interval
        values = {
            "__rate_interval": f"{max(step_s + SCRAPE_S, 4 * SCRAPE_S)}s",
            "__interval": f"{step_s}s",
            "__range": f"{max(1, round(self.end - self.start))}s",
            **self.chosen,
        }
        for name, value in values.items():
            expr = expr.replace(f"${name}", value)
        return expr


def variable_of(dashboard: Dashboard, values: Mapping[str, list[str]]) -> dict[str, str]:
    """All where all can be chosen; else the first of the ``values`` that Prometheus has."""
    chosen = {}
    for variable in dashboard.variables:
        found = values.get(variable.name, [])
        chosen[variable.name] = ALL if variable.has_many else (found[0] if found else "none")
    return chosen
