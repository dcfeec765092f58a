"""Leaks in real containers, found and repaired: ``python -m benchmarks.leaks.live --json``.

One shop for each leak and one that leaks nothing, all under the same load and one homeostat as shipped. They leak
after some minutes without growth, at a pace that would exhaust them ``--minutes`` later. In the first hours of a
process the detector trusts growth for less than half as long as it has seen it: it speaks when about a seventh of the
time is left, and hooks and the restart after them need up to three minutes. A leak that is faster than 25 minutes is
seen, but not repaired in time.
"""

import argparse
import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.leaks.livereport import report
from benchmarks.leaks.livescene import NONE, Scene, stage
from chaos.faults.leaks import LEAKS
from chaos.harness import working_folder
from chaos.shop import served
from homeostat.clock import SystemClock, rfc3339

_ALL = (*LEAKS, NONE)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks.live")
    parser.add_argument("--minutes", type=float, default=28, help="from onset to exhaustion (default: %(default)g)")
    parser.add_argument("--warm-up", type=float, default=4, help="minutes without growth before (default: %(default)g)")
    parser.add_argument("--only", type=names, default=_ALL, metavar="NAME,...", help=f"of {','.join(_ALL)}")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--keep", type=Path, help="write all that was seen to this file, as JSON")
    arguments = parser.parse_args()
    recording = asyncio.run(_record(arguments.only, arguments.warm_up, arguments.minutes))
    if arguments.keep:
        arguments.keep.write_text(json.dumps(recording))
    report(recording, as_json=arguments.as_json)


def names(text: str) -> tuple[str, ...]:
    """Leaks of a list with commas, once each. Raises ArgumentTypeError for others."""
    found = tuple(dict.fromkeys(text.split(",")))
    if unknown := set(found) - set(_ALL):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: allowed: {', '.join(_ALL)}")
    return found


async def _record(leaks: tuple[str, ...], warm_up: float, minutes: float) -> dict[str, Any]:
    console, clock = Console(stderr=True), SystemClock()

    def say(text: str) -> None:
        console.print(f"{rfc3339(clock.now())[11:19]} {text}", markup=False, highlight=False)

    async with AsyncExitStack() as exits:
        folder = exits.enter_context(working_folder("leaks"))
        scene = await exits.enter_async_context(stage(folder, leaks, clock, say))
        since = clock.now()
        say(f"all is up; {warm_up:g} min without growth")
        await clock.sleep(warm_up * 60)
        await scene.leak(minutes)
        say(f"leaks begin; exhausted in {minutes:g} min")
        await scene.follow(minutes)
        return await _told(scene, since, minutes)


async def _told(scene: Scene, since: float, minutes: float) -> dict[str, Any]:
    until = scene.clock.now()
    shops = {}
    for shop in scene.shops:
        log = await served(shop.compose, since, until)
        shops[shop.leak] = {
            "workload": shop.compose.workload,
            "onset": shop.onset,
            "recoveries": await scene.recoveries(shop),
            "requests": [(request.due_at, request.status) for request in shop.load.between(since, until)],
            "log": [(row["ts"], row["status"]) for row in log],
        }
    return {
        "minutes": minutes,
        "since": since,
        "until": until,
        "shops": shops,
        "series": await scene.ranges(since, until),
    }


if __name__ == "__main__":
    main()
