"""What the exporter costs: ``python -m benchmarks.exporter --json``. Real containers with an engine; root for cgroups.

One run: host path beside node_exporter and encoder beside prometheus_client's, in turns; the container path; then 1,000
containers come and go; then growth over containers and processes. Exporters are scraped as Prometheus scrapes them, in
processes of their own; CPU is theirs, of all threads, background work included.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from rich.console import Console

from benchmarks.exporter.measure import Plan, measure
from benchmarks.exporter.report import report


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exporter")
    parser.add_argument("--repetitions", type=int, default=5, help="interleaved (default: %(default)s)")
    parser.add_argument("--containers", type=int, default=100, help="for the container path (default: %(default)s)")
    parser.add_argument("--cycles", type=int, default=1000, help="containers that come and go (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="no cycles and no growth")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    node_exporter = shutil.which("node_exporter") or shutil.which("prometheus-node-exporter")
    if node_exporter is None:
        sys.exit(
            "no node_exporter on PATH; `scripts/servers --with-node-exporter` gets one into $(scripts/servers --print)"
        )
    plan = Plan(
        arguments.repetitions,
        arguments.containers,
        0 if arguments.quick else arguments.cycles,
        () if arguments.quick else (10, 100, 300),
        () if arguments.quick else (100, 1000, 5000),
        node_exporter,
    )
    asyncio.run(_run(plan, as_json=arguments.as_json))


async def _run(plan: Plan, *, as_json: bool) -> None:
    async with AsyncExitStack() as exits:
        workdir = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-exporter-")))
        figures = await measure(plan, workdir, Console(stderr=True), exits)
    report(figures, as_json=as_json)


if __name__ == "__main__":
    main()
