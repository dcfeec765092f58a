"""What Prometheus answers to a dashboard: every query of every panel."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from grafana.lib import Annotation, Dashboard, Panel, Query, Stat, Table, least_step_s, queries
from grafana.lib.views import MINUTE_S, SCRAPE_S
from grafana.preview.filling import Window, variable_of
from homeostat.errors import Permanent, Unreachable

_TIMEOUT_S = 20.0
#: As a browser does.
_AT_ONCE = 6
_SERVER_ERROR = 500

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """``points``: (epoch seconds, value), in order; one point of what was asked for now."""

    labels: Mapping[str, str]
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Answer:
    """To one query. ``step_s``: between points; what is further apart is a gap."""

    query: Query
    series: Sequence[Series]
    step_s: int


@dataclass(frozen=True, slots=True)
class Answers:
    """To a whole dashboard: of each panel, in its order; of each annotation that is a query."""

    window: Window
    panels: Sequence[Sequence[Answer]]
    events: Sequence[tuple[Annotation, Answer]]


class Source:
    """A Prometheus. Raises Unreachable when it does not answer, Permanent when it refuses a query."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def answers(self, dashboard: Dashboard, window: Window) -> Answers:
        """``window.chosen`` wins over what would be chosen by itself."""
        values = {variable.name: await self._values(variable.query) for variable in dashboard.variables}
        filled = Window(window.start, window.end, {**variable_of(dashboard, values), **window.chosen})
        events = [annotation for annotation in dashboard.annotations if annotation.expr]
        panels, found = await asyncio.gather(
            asyncio.gather(*(self._panel(panel, filled) for panel in dashboard.panels)),
            asyncio.gather(*(self._range(Query(event.expr), filled, MINUTE_S) for event in events)),
        )
        return Answers(filled, panels, list(zip(events, found, strict=True)))

    async def _panel(self, panel: Panel, window: Window) -> list[Answer]:
        view = panel.view
        asked = queries(view)
        if isinstance(view, Stat | Table):
            return await asyncio.gather(*(self.now(query, window) for query in asked))
        return await asyncio.gather(*(self._range(query, window, least_step_s(view)) for query in asked))

    async def now(self, query: Query, window: Window, least_s: int = SCRAPE_S) -> Answer:
        """At the end of the window, filled in."""
        step_s = window.step_s(least_s)
        rows = await self._get("query", {"query": window.fill(query.expr, step_s), "time": f"{window.end:.3f}"})
        return Answer(query, [Series(row["metric"], [_point(row["value"])]) for row in rows["result"]], step_s)

    async def _range(self, query: Query, window: Window, least_s: int) -> Answer:
        step_s = window.step_s(least_s)
        # Grafana aligns steps to the epoch: the same times are the same points.
        start = window.start // step_s * step_s
        rows = await self._get(
            "query_range",
            {
                "query": window.fill(query.expr, step_s),
                "start": f"{start:.3f}",
                "end": f"{window.end:.3f}",
                "step": str(step_s),
            },
        )
        found = [Series(row["metric"], [_point(point) for point in row["values"]]) for row in rows["result"]]
        return Answer(query, found, step_s)

    async def _values(self, query: str) -> list[str]:
        """Of ``label_values(metric, label)``."""
        metric, _, label = query.removeprefix("label_values(").removesuffix(")").partition(", ")
        return sorted(await self._get(f"label/{label}/values", {"match[]": metric}))

    async def _get(self, path: str, parameters: Mapping[str, str]) -> Any:  # JSON, read by the callers
        url = f"{self._url}/api/v1/{path}"
        try:
            async with self._slots, asyncio.timeout(_TIMEOUT_S), self._session.get(url, params=parameters) as response:
                if response.status >= _SERVER_ERROR:  # overloaded, or not ready yet: says nothing of what was asked
                    raise Unreachable(f"Prometheus at {self._url} cannot answer now: status {response.status}")
                body = await response.json(content_type=None)
        except TimeoutError:
            raise Unreachable(f"Prometheus at {self._url} did not answer within {_TIMEOUT_S:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as err:
            raise Unreachable(f"Prometheus at {self._url} does not answer: {err}") from err
        if not isinstance(body, dict) or body.get("status") != "success":
            reason = body.get("error", response.status) if isinstance(body, dict) else response.status
            raise Permanent(f"Prometheus at {self._url} refused {parameters.get('query', path)!r}: {reason}")
        return body["data"]


def _point(pair: Sequence[Any]) -> Point:
    return float(pair[0]), float(pair[1])
