"""What alerting promises: ``python -m benchmarks.alerting --json``. Needs prometheus, promtool, alertmanager on PATH.

Rules: generated pages of 300 containers, all well, and a day of what rules look back at; medians of what Prometheus
says of each group. Messages: six incidents at real Alertmanagers, each as shipped and, to compare with, grouped by
workload.
"""

import argparse
import asyncio
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.alerting.evaluation import Figures, evaluation
from benchmarks.alerting.incidents import INCIDENTS
from benchmarks.alerting.report import report
from benchmarks.alerting.storms import Figures as StormFigures
from benchmarks.alerting.storms import storms
from chaos.harness import working_folder

_PARTS = ("rules", "storms")
#: The slowest group comes every four minutes.
_LASTS_S = 270.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alerting")
    parser.add_argument("--only", choices=_PARTS, help="one part of both")
    parser.add_argument("--containers", type=int, default=300)
    parser.add_argument(
        "--lasts", type=float, default=_LASTS_S, help="seconds of measuring rules (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    with working_folder("bench-alerting") as folder, Progress(console=Console(stderr=True)) as progress:
        rules, incidents = asyncio.run(_run(arguments, folder, progress))
    report(rules, incidents, as_json=arguments.as_json)


async def _run(
    arguments: argparse.Namespace, folder: Path, progress: Progress
) -> tuple[Figures | None, list[StormFigures]]:
    """One after the other: they share the machine."""
    rules = None
    incidents: list[StormFigures] = []
    if arguments.only != "storms":
        rules = await evaluation(arguments.containers, arguments.lasts, folder, progress)
    if arguments.only != "rules":
        incidents = await storms(INCIDENTS, folder, progress)
    return rules, incidents


if __name__ == "__main__":
    main()
