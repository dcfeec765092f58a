"""From nothing to ready, and down again: ``python -m benchmarks.startup --json``. The servers are there already."""

import argparse
import asyncio
from pathlib import Path

import psutil
from rich.table import Table

from benchmarks.report import Bar, conclude, percentile
from chaos.harness import Stack, working_folder
from homeostat.clock import Clock, SystemClock

_UP_S = 20.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup")
    parser.add_argument("--runs", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    rows = asyncio.run(_measure(arguments.runs))
    table = Table("", "median s", "max s")
    ups, downs = [row[0] for row in rows], [row[1] for row in rows]
    for name, values in (("up to ready", ups), ("down", downs)):
        table.add_row(name, f"{percentile(values, 0.5):.1f}", f"{max(values):.1f}")
    left = sum(row[2] for row in rows)
    bars = {"native_up_max_s": Bar(max(ups), _UP_S), "processes_left_behind": Bar(left, 0)}
    conclude(table, bars, {"runs": arguments.runs, "up_s": ups, "down_s": downs}, as_json=arguments.as_json)


async def _once(folder: Path, clock: Clock) -> tuple[float, float, int]:
    """Seconds up, seconds down, processes left behind."""
    stack = Stack(folder, "native")
    stack.configure()
    start = clock.monotonic()
    await stack.up()
    ready = clock.monotonic()
    await stack.down()
    down = clock.monotonic()
    left = sum(str(folder) in " ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"]))
    return ready - start, down - ready, left


async def _measure(runs: int) -> list[tuple[float, float, int]]:
    clock = SystemClock()
    rows = []
    for _ in range(runs):
        with working_folder("startup") as folder:
            rows.append(await _once(folder, clock))
    return rows


if __name__ == "__main__":
    main()
