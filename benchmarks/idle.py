"""What homeostat costs while nothing happens: RSS and CPU of exporter, responder and guardian at the default intervals,
watching the shop as four processes, and where there is an engine as four containers more:
``python -m benchmarks.idle --json``. PSS counts a page that several processes share once.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
from rich.table import Table

from benchmarks.report import Bar, conclude
from chaos.harness import free_ports, working_folder
from chaos.scene import stage
from chaos.shop import ComposeShop, has_engine
from homeostat.clock import SystemClock
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import control_socket_path

_RSS_MB = 150.0
_CPU_PERCENT = 1.0
_SETTLE_S = 20.0
_MB = 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle")
    parser.add_argument("--seconds", type=float, default=60.0, help="measured time (default: %(default)s)")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    rows = asyncio.run(_measure(arguments.seconds))
    table = Table("process", "RSS MB", "PSS MB", "CPU % of one core")
    for name, (rss, pss, cpu) in rows.items():
        table.add_row(name, f"{rss:.1f}", f"{pss:.1f}", f"{cpu:.2f}")
    total_rss, total_cpu = sum(row[0] for row in rows.values()), sum(row[2] for row in rows.values())
    table.add_row("together", f"{total_rss:.1f}", f"{sum(row[1] for row in rows.values()):.1f}", f"{total_cpu:.2f}")
    bars = {"rss_mb": Bar(total_rss, _RSS_MB), "cpu_percent": Bar(total_cpu, _CPU_PERCENT)}
    details = {"seconds": arguments.seconds, "processes": {name: list(row) for name, row in rows.items()}}
    conclude(table, bars, details, as_json=arguments.as_json)


async def _measure(seconds: float) -> dict[str, tuple[float, float, float]]:
    clock = SystemClock()
    has_docker = await has_engine()
    async with AsyncExitStack() as exits:
        workdir = exits.enter_context(working_folder("idle"))
        if has_docker:
            shop = ComposeShop(f"{workdir.name}-shop".lower(), free_ports(1)[0], workdir / "logs")
            exits.push_async_callback(shop.down)
            await shop.up()
        scene = await exits.enter_async_context(stage("native", workdir, clock, docker=has_docker))
        await clock.sleep(_SETTLE_S)
        processes = await _processes(scene.stack.settings.state_dir)
        before = {name: _cpu(process) for name, process in processes.items()}
        await clock.sleep(seconds)
        rows = {}
        for name, process in processes.items():
            memory = process.memory_full_info()
            cpu = (_cpu(process) - before[name]) / seconds * 100
            rows[name] = (memory.rss / _MB, memory.pss / _MB, cpu)
        return rows


async def _processes(state_dir: Path) -> dict[str, psutil.Process]:
    statuses = await GuardianClient(control_socket_path(state_dir)).processes()
    found = {
        s.name: psutil.Process(s.pid) for s in statuses if s.workload in ("homeostat/exporter", "homeostat/responder")
    }
    guardian = found["exporter"].parent()
    assert guardian is not None
    return {**found, "guardian": guardian}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
