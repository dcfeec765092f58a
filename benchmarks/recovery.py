"""From fault to verified recovery, in compose and natively: ``python -m benchmarks.recovery --runs 10 --json``.

Faults are interleaved (crash, hang, pause, crash, ...), so that a drift of the machine touches all alike, and injected
at a random moment between two scrapes. Everything is as shipped, but for the caps on repeated repair of one workload,
which this many faults would use up.
"""

import argparse
import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.report import Bar, conclude, percentile
from chaos.faults import FAULTS
from chaos.harness import working_folder
from chaos.scene import MANY_CAPS, stage
from chaos.timeline import Timeline
from homeostat.clock import SystemClock

_TOTAL_P95_S = {"crash": 15.0, "hang": 30.0, "pause": 30.0}
_PARTS = ("fault_to_alert", "alert_to_action", "action_to_verified", "total")

Run = tuple[str, Timeline, list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery")
    parser.add_argument("--runs", type=int, default=3, help="of each fault in each mode (default: %(default)s)")
    parser.add_argument("--modes", nargs="+", choices=("compose", "native"), default=("compose", "native"))
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--keep", type=Path, help="write every timeline to this file, a JSON line each")
    arguments = parser.parse_args()
    runs = [run for mode in arguments.modes for run in asyncio.run(_measure(mode, arguments.runs))]
    if arguments.keep:
        arguments.keep.write_text(
            "".join(json.dumps({"mode": mode, **asdict(t), "against": a}) + "\n" for mode, t, a in runs)
        )
    table, bars, medians = _summary(arguments.modes, runs)
    details = {"runs": arguments.runs, "settings_changed": MANY_CAPS, "seconds": medians}
    conclude(table, bars, details, as_json=arguments.as_json)


async def _measure(mode: str, runs: int) -> list[Run]:
    console = Console(stderr=True)
    measured: list[Run] = []
    async with AsyncExitStack() as exits:
        folder = exits.enter_context(working_folder("bench"))
        scene = await exits.enter_async_context(stage(mode, folder, SystemClock()))
        for number in range(runs):
            for fault in FAULTS:
                timeline, against = await scene.play(fault, lambda _timeline: None)
                total = timeline.seconds()["total"]
                took = "not ended" if total is None else f"{total:.1f} s"
                console.print(
                    f"{mode} {number + 1}/{runs} {fault}: {timeline.final} {took} {against or ''}", markup=False
                )
                measured.append((mode, timeline, against))
    return measured


def _summary(modes: list[str], runs: list[Run]) -> tuple[Table, dict[str, Bar], dict[str, object]]:
    table = Table("mode", "fault", *(f"{part} median / p95 s" for part in _PARTS), "verified")
    bars: dict[str, Bar] = {}
    raw: dict[str, object] = {}
    for mode in modes:
        for fault in FAULTS:
            chosen = [timeline for mode_, timeline, _ in runs if mode_ == mode and timeline.fault == fault]
            parts = {part: [s for t in chosen if (s := t.seconds()[part]) is not None] for part in _PARTS}
            cells = [_cell(parts[part]) for part in _PARTS]
            verified = sum(timeline.is_verified for timeline in chosen)
            table.add_row(mode, fault, *cells, f"{verified} of {len(chosen)}")
            totals = [t.seconds()["total"] or float("inf") if t.is_verified else float("inf") for t in chosen]
            bars[f"{mode}_{fault}_total_p95_s"] = Bar(percentile(totals, 0.95), _TOTAL_P95_S[fault])
            raw[f"{mode}_{fault}"] = {
                part: {"median": percentile(v, 0.5), "p95": percentile(v, 0.95), "raw": v}
                for part, v in parts.items()
                if v
            }
    bars["claims_contradicted_by_the_request_log"] = Bar(sum(bool(against) for _, _, against in runs), 0)
    return table, bars, raw


def _cell(values: list[float]) -> str:
    return f"{percentile(values, 0.5):.1f} / {percentile(values, 0.95):.1f}" if values else "-"


if __name__ == "__main__":
    main()
