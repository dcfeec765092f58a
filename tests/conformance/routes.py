"""Alertmanager's configuration out of the scenarios' routes. Pure; written as JSON, which is YAML, too."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

TROUBLE = "ConformanceTrouble"
#: Mutes the trouble of the same workload; goes to nobody itself.
INHIBITOR = "ConformanceInhibitor"
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Route:
    """How one scenario's alerts are grouped and repeated; intervals as short as Alertmanager allows."""

    group_by: tuple[str, ...] = ("scenario",)
    group_wait: str = "0s"
    group_interval: str = "1s"
    repeat_interval: str = "1h"
    send_resolved: bool = True
    max_alerts: int = 0
    matchers: tuple[str, ...] = ()


#: What most scenarios need.
PLAIN = Route()


def render(routes: Mapping[str, Route], url: str) -> str:
    """For each scenario a route and a receiver that delivers to ``url``/SCENARIO."""
    nobody = {"receiver": _NOBODY, "matchers": [f'alertname="{INHIBITOR}"']}
    config = {
        "route": {"receiver": _NOBODY, "routes": [nobody, *(_route(name, route) for name, route in routes.items())]},
        "receivers": [{"name": _NOBODY}, *(_receiver(name, route, url) for name, route in routes.items())],
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname="{INHIBITOR}"'],
                "target_matchers": [f'alertname="{TROUBLE}"'],
                "equal": ["workload"],
            }
        ],
    }
    return json.dumps(config, indent=1)


def _route(name: str, route: Route) -> dict[str, object]:
    return {
        "receiver": name,
        "matchers": [f'scenario="{name}"', *route.matchers],
        "group_by": list(route.group_by),
        "group_wait": route.group_wait,
        "group_interval": route.group_interval,
        "repeat_interval": route.repeat_interval,
    }


def _receiver(name: str, route: Route, url: str) -> dict[str, object]:
    webhook = {"url": f"{url}/{name}", "send_resolved": route.send_resolved, "max_alerts": route.max_alerts}
    return {"name": name, "webhook_configs": [webhook]}
