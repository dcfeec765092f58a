"""What the responder promises: ``python -m benchmarks.responder --json``. Linux; Alertmanager and Redis on PATH.

Each scenario has a responder of its own (`python -m responder`) with its state on a disk, and neighbours that answer as
Prometheus, Alertmanager, guardian and applications do; the Alertmanagers and the Redis of replicas are real ones. What
was done is counted where it was done, and held against the ledger afterwards.
"""

import argparse
import asyncio
import os
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.responder import crash, latency, replicas, storm
from benchmarks.responder.report import Figures, report
from benchmarks.responder.servers import Missing
from chaos.harness import working_folder

SCENARIOS = ("storm", "crash", "ha", "latency")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of what."""

    storm_alerts: int = 100_000
    drain_s: float = 180.0
    kills: int = 300
    ha_alerts: int = 1000
    latency_alerts: int = 500
    seed: int = 1


_FULL = Sizes()
_QUICK = Sizes(storm_alerts=10_000, drain_s=10.0, kills=30, ha_alerts=100, latency_alerts=50)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.responder")
    parser.add_argument("--only", type=_scenarios, default=SCENARIOS, help=f"of {','.join(SCENARIOS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--kills", type=int, help=f"of the crash scenario (default: {_FULL.kills})")
    parser.add_argument("--drain", type=float, help=f"seconds for a storm's recoveries (default: {_FULL.drain_s:g})")
    parser.add_argument("--seed", type=int, default=_FULL.seed, help="of all that is random (default: %(default)s)")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    if sys.platform != "linux" or not hasattr(os, "sched_setaffinity"):
        sys.exit("this benchmark needs Linux: it pins processes to cores and reads /proc")
    sizes = replace(_QUICK if arguments.quick else _FULL, seed=arguments.seed)
    sizes = replace(sizes, kills=arguments.kills or sizes.kills, drain_s=arguments.drain or sizes.drain_s)
    try:
        figures = asyncio.run(_run(arguments.only, sizes))
    except Missing as err:
        sys.exit(str(err))
    report(figures, asdict(sizes), as_json=arguments.as_json)


def _scenarios(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(SCENARIOS):
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}; allowed: {', '.join(SCENARIOS)}")
    return chosen


async def _run(only: tuple[str, ...], sizes: Sizes) -> Figures:
    figures = Figures()
    with Progress(console=Console(stderr=True)) as progress, working_folder("bench-responder") as folder:
        if "latency" in only:
            figures.latencies = await latency.latency(
                sizes.latency_alerts, sizes.seed, _in(folder, "latency"), progress
            )
        if "storm" in only:
            plan = storm.Plan(sizes.storm_alerts, sizes.drain_s, sizes.seed)
            figures.small = await storm.small_bodies(plan, _in(folder, "small"), progress)
            figures.large = await storm.large_bodies(plan, _in(folder, "large"), progress)
        if "crash" in only:
            figures.crashes = await crash.crash(sizes.kills, sizes.seed, _in(folder, "crash"), progress)
        if "ha" in only:
            figures.ha = await replicas.replicas(sizes.ha_alerts, sizes.seed, _in(folder, "ha"), progress)
    return figures


def _in(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    return path


if __name__ == "__main__":
    main()
