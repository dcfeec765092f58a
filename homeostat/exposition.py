"""The collector seam, the scrape that runs all collectors, and the text encoder.

One failing or slow collector never fails a scrape: it becomes ``homeostat_scrape_collector_success 0``.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog
from aiohttp import web

from homeostat import names
from homeostat.clock import Clock

log = structlog.get_logger()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Kept back from Prometheus's own deadline so that the answer still travels (blackbox_exporter does the same).
DEADLINE_OFFSET_S = 0.25
DEFAULT_DEADLINE_S = 9.5
MAX_DEADLINE_S = 3600.0


class MetricType(StrEnum):
    """Types of the text format 0.0.4 that collectors produce."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(slots=True)
class Family:
    """One metric family. ``samples``: (rendered labels, value), labels made by :func:`labels`."""

    name: str
    type: MetricType
    help: str
    samples: list[tuple[str, float]] = field(default_factory=list)

    def add(self, rendered_labels: str, value: float) -> None:
        self.samples.append((rendered_labels, value))


class Collector(Protocol):
    """Measures one thing. Fresh families on every call; no state, no logging, no try/except."""

    @property
    def name(self) -> str: ...

    async def collect(self) -> Iterable[Family]: ...


def gauge(name: str, help_text: str) -> Family:
    return Family(name, MetricType.GAUGE, help_text)


def counter(name: str, help_text: str) -> Family:
    return Family(name, MetricType.COUNTER, help_text)


def escape(value: str) -> str:
    """A label value as the text format wants it: data, never structure."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def labels(pairs: Mapping[str, str]) -> str:
    """``{a="b",c="d"}``; empty for no labels. Render once per object and reuse: this is the hot path."""
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{escape(value)}"' for name, value in pairs.items()) + "}"


def _number(value: float) -> str:
    # repr() keeps every digit; the format wants +Inf, -Inf and NaN spelled so.
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value + 0)  # a bool becomes 0 or 1


def render(families: Iterable[Family]) -> bytes:
    """Text format 0.0.4. Families without samples are left out."""
    lines: list[str] = []
    for family in families:
        if not family.samples:
            continue
        help_text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines.append(f"# HELP {family.name} {help_text}\n# TYPE {family.name} {family.type.value}\n")
        name = family.name
        lines.extend(f"{name}{labels} {_number(value)}\n" for labels, value in family.samples)
    return "".join(lines).encode(errors="replace")  # JSON may carry half a surrogate pair; UTF-8 cannot


async def scrape(collectors: Sequence[Collector], clock: Clock, deadline_s: float) -> list[Family]:
    """Run all collectors at once, each under the deadline; report each one's success and duration."""
    success = gauge(names.SCRAPE_SUCCESS, "Whether the collector's last run succeeded.")
    duration = gauge(names.SCRAPE_DURATION, "How long the collector's last run took.")

    async def run(collector: Collector) -> list[Family]:
        start = clock.monotonic()
        try:
            async with asyncio.timeout(deadline_s):
                families = list(await collector.collect())
            ok = True
        except Exception as err:  # noqa: BLE001 - the one place where a collector's failure becomes a metric
            log.warning("collector.failed", collector=collector.name, error=repr(err))
            families, ok = [], False
        rendered = labels({"collector": collector.name})
        success.add(rendered, float(ok))
        duration.add(rendered, clock.monotonic() - start)
        return families

    results = await asyncio.gather(*(run(collector) for collector in collectors))
    return [family for families in results for family in families] + [success, duration]


def deadline_from(request: web.Request) -> float:
    """Prometheus's scrape timeout less an offset; a default for people with curl."""
    try:
        timeout_s = float(request.headers["X-Prometheus-Scrape-Timeout-Seconds"])
    except (KeyError, ValueError):
        return DEFAULT_DEADLINE_S
    if not 0 < timeout_s <= MAX_DEADLINE_S:  # also NaN
        return DEFAULT_DEADLINE_S
    return max(timeout_s - DEADLINE_OFFSET_S, timeout_s / 2)


def metrics_route(collectors: Sequence[Collector], clock: Clock) -> web.RouteDef:
    """GET /metrics over ``collectors``."""

    async def handle(request: web.Request) -> web.Response:
        families = await scrape(collectors, clock, deadline_from(request))
        return web.Response(body=render(families), headers={"Content-Type": CONTENT_TYPE})

    return web.get("/metrics", handle)
