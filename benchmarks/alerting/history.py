"""A day of what rules look back at, put into Prometheus before it starts: ranges over nothing would cost nothing."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from homeostat.families import labels

_DAY_S = 86400
_HOUR_S = 3600
#: Blocks end so long before now: what is newer, Prometheus measures itself.
_GAP_S = 60


@dataclass(frozen=True, slots=True)
class Past:
    """A series as it was: ``length_s`` of it, a sample every ``every_s``."""

    name: str
    more: dict[str, str]
    every_s: int
    length_s: int
    value: float
    of_containers: bool = True


#: Everything with a range of an hour or more; the month of availability is as long as the day that is here.
PASTS = (
    Past("probe:homeostat_probe_duration_seconds:mean_rate5m", {"probe": "http"}, 60, _DAY_S, 0.1),
    Past("workload:homeostat_availability:avg1m", {}, 60, _DAY_S, 1),
    *(
        Past("homeostat_leak_verdict", {"resource": resource, "verdict": "healthy"}, 15, _HOUR_S, 1)
        for resource in ("memory", "fds", "threads")
    ),
    *(
        Past(f"homeostat_host_filesystem_{name}", {"mountpoint": mountpoint, "fstype": "any"}, 15, _DAY_S, value, False)
        for name, value in (("available_bytes", 1e9), ("readonly", 0))
        for mountpoint in ("/", "/data", "/backup")
    ),
)


def put(folder: Path, containers: int, instance: str, now: int) -> None:
    """Into ``folder/data``, with ``promtool``. Raises subprocess.CalledProcessError."""
    text = folder / "history.txt"
    with text.open("w") as file:
        for name in sorted({past.name for past in PASTS}):
            # A gauge, whatever it is: the head of a counter would ask for another name.
            file.write(f"# TYPE {name} gauge\n")
            for past in (past for past in PASTS if past.name == name):
                file.writelines(_lines(past, containers, instance, now))
        file.write("# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")]
    subprocess.run(command, check=True, capture_output=True)
    text.unlink()


def _lines(past: Past, containers: int, instance: str, now: int) -> Iterator[str]:
    scraped = {} if ":" in past.name else {"instance": instance, "job": "homeostat-resources"}
    for number in range(containers if past.of_containers else 1):
        own = {"workload": f"crowd/w{number}", "container": f"crowd-w{number}-1"} if past.of_containers else {}
        if past.name.startswith("workload:"):
            own.pop("container")
        rendered = labels({**own, **past.more, **scraped})
        for at in range(now - past.length_s, now - _GAP_S, past.every_s):
            yield f"{past.name}{rendered} {past.value} {at}\n"
