"""Where applications tell of themselves: GET /discovery, Prometheus's HTTP service discovery.

One target per running container of every enabled workload that has ``metrics``; one per workload where that is a full
URL. Format: https://prometheus.io/docs/prometheus/latest/http_sd/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypedDict
from urllib.parse import parse_qsl, urlsplit

from exporters.catalog import Entry
from homeostat import names
from homeostat.directory import resolve_hook
from homeostat.workloads import HookSpec

#: Prometheus before 3.0 refuses a whole answer for one label that has another name.
_LABEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class TargetGroup(TypedDict):
    """One place to scrape, as Prometheus reads it."""

    targets: list[str]
    labels: dict[str, str]


def discover(entries: Iterable[Entry]) -> list[TargetGroup]:
    """What Prometheus is to scrape for applications now; without a URL that is none, as it would cost the others."""
    groups = (target_group(url, own) for entry in entries if entry.workload.enabled for url, own in _places(entry))
    return [group for group in groups if group is not None]


def _places(entry: Entry) -> Iterator[tuple[str, dict[str, str]]]:
    """Each full URL, with the labels that say whose it is."""
    metrics, own = entry.workload.metrics, {names.WORKLOAD: entry.workload.id}
    if metrics and not metrics.startswith(":"):
        yield metrics, own
        return
    for container in entry.containers if metrics else ():
        url = resolve_hook(HookSpec(metrics), container) if container.is_running else None
        if url is not None:
            yield url, own | {names.CONTAINER: container.name}


def target_group(url: str, own: Mapping[str, str]) -> TargetGroup | None:
    """``url`` taken apart as Prometheus wants it: no user name, and only parameters that a label can be named for."""
    try:
        parts = urlsplit(url)
    except ValueError:  # what looks like IPv6 and is not
        return None
    parameters = {
        f"__param_{name}": value
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if _LABEL_NAME.fullmatch(name)
    }
    place = {"__scheme__": parts.scheme, "__metrics_path__": parts.path or "/metrics"}
    return {"targets": [parts.netloc.rpartition("@")[2]], "labels": {**parameters, **place, **own}}
