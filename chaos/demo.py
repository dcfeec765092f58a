"""``make demo``: break examples/shop three ways and watch it being repaired.

Exit codes: 0 every repair verified, and users agree; 1 one was not; 3 the scene could not be set.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from chaos.faults import FAULTS
from chaos.harness import working_folder
from chaos.scene import stage
from chaos.shop import has_engine
from chaos.timeline import Timeline
from homeostat.clock import SystemClock
from homeostat.errors import HomeostatError

_NOT_VERIFIED = 1
_NO_SCENE = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chaos.demo", description="Break examples/shop, watch the repair.")
    parser.add_argument("--mode", choices=("auto", "compose", "native"), default="auto")
    arguments = parser.parse_args()
    console = Console()
    try:
        asyncio.run(play(arguments.mode, console))
    except HomeostatError as err:
        console.print(str(err), style="red", markup=False)
        sys.exit(_NO_SCENE)
    except KeyboardInterrupt:
        console.print("ended")
        sys.exit(_NO_SCENE)


async def play(mode: str, console: Console) -> None:
    """Play every fault once. Raises SystemExit when a repair was not verified."""
    if mode == "auto":
        mode = "compose" if await has_engine() else "native"
    with working_folder("demo") as folder:
        console.print(f"setting the scene ({mode}); everything is in {folder}")
        if not await _play_in(folder, mode, console):
            console.print(f"not every repair was verified; {folder} is kept")
            raise SystemExit(_NOT_VERIFIED)


async def _play_in(folder: Path, mode: str, console: Console) -> bool:
    """Whether every repair was verified and nobody disagrees."""
    rows: dict[str, tuple[Timeline, list[str]]] = {}
    async with stage(mode, folder, SystemClock()) as scene:
        with Live(_table(rows), console=console, refresh_per_second=4) as live:
            for fault in FAULTS:

                def show(timeline: Timeline, fault: str = fault) -> None:
                    rows[fault] = (timeline, [])
                    live.update(_table(rows))

                rows[fault] = await scene.play(fault, show)
                live.update(_table(rows))
    return all(timeline.is_verified and not against for timeline, against in rows.values())


def _table(rows: dict[str, tuple[Timeline, list[str]]]) -> Table:
    table = Table("fault", "detected", "acted", "ended", "as", "users say", title="seconds after the fault")
    for fault in FAULTS:
        if fault in rows:
            table.add_row(fault, *_cells(*rows[fault]))
        else:
            table.add_row(fault, *["…"] * 5)
    return table


def _cells(timeline: Timeline, against: Sequence[str]) -> list[str]:
    def after(at: float | None, what: str) -> str:
        return f"{at - timeline.fault_at:.1f} {what}" if at is not None else "…"

    style = "green" if timeline.is_verified else "yellow"
    return [
        after(timeline.alert_at, timeline.alert),
        after(timeline.action_at, timeline.action),
        after(timeline.final_at, ""),
        f"[{style}]{timeline.final or '…'}",
        "; ".join(against) or ("the same" if timeline.is_verified else "…"),
    ]


if __name__ == "__main__":
    main()
