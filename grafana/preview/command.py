"""``python -m grafana preview``: one PNG per dashboard."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from grafana.dashboards import DASHBOARDS
from grafana.lib import Dashboard
from grafana.preview.answers import Source
from grafana.preview.filling import Window
from homeostat.clock import Clock, SystemClock
from homeostat.errors import HomeostatError

_HOUR_S = 3600.0
_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prometheus", required=True, metavar="URL", help="such as http://127.0.0.1:9090")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="gets UID.png; is made if it must")
    parser.add_argument(
        "--dashboard", choices=[str(board.uid) for board in DASHBOARDS], metavar="UID", help="only this one"
    )
    parser.add_argument("--hours", type=float, default=1.0, metavar="N", help="until now; 1 if left out")
    parser.add_argument("--workload", metavar="NAME", help="chosen at the top; the first there is if left out")


def run(arguments: argparse.Namespace) -> None:
    """Exits 1 with a message when something is missing."""
    chosen = [board for board in DASHBOARDS if arguments.dashboard in (None, board.uid)]
    try:
        asyncio.run(_draw_all(chosen, arguments, SystemClock()))
    except HomeostatError as err:
        print(err, file=sys.stderr)  # noqa: T201 - a command line
        sys.exit(_FAILED)
    except ModuleNotFoundError as err:
        if not (err.name or "").startswith("matplotlib"):
            raise
        print("the preview needs matplotlib: pip install 'homeostat[dashboards]'", file=sys.stderr)  # noqa: T201
        sys.exit(_FAILED)


async def _draw_all(dashboards: Sequence[Dashboard], arguments: argparse.Namespace, clock: Clock) -> None:
    # Not before it is needed: everything else about dashboards works without it.
    from grafana.preview.picture import draw  # noqa: PLC0415

    now = clock.now()
    chosen = {"workload": arguments.workload} if arguments.workload else {}
    window = Window(now - arguments.hours * _HOUR_S, now, chosen)
    await asyncio.to_thread(arguments.out.mkdir, parents=True, exist_ok=True)
    async with aiohttp.ClientSession() as session:
        source = Source(arguments.prometheus, session)
        for dashboard in dashboards:
            answers = await source.answers(dashboard, window)
            target = arguments.out / f"{dashboard.uid}.png"
            await asyncio.to_thread(draw, dashboard, answers, target)
            print(target)  # noqa: T201 - a command line
