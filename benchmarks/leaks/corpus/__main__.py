"""The corpus to look at, or for another detector: ``python -m benchmarks.leaks.corpus --out FOLDER --sheet FILE``."""

import argparse
from pathlib import Path

from benchmarks.leaks.corpus import FAMILIES, generate
from benchmarks.leaks.corpus.sheet import sheet
from benchmarks.leaks.trace import Trace


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks.corpus")
    parser.add_argument("--family", choices=sorted(FAMILIES), help="only this one (default: all)", metavar="NAME")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write a CSV file of each family into this folder")
    parser.add_argument("--sheet", type=Path, help="write a picture of all families to this SVG file")
    arguments = parser.parse_args()
    if not (arguments.out or arguments.sheet):
        parser.error("nothing to do: give --out FOLDER, --sheet FILE.svg, or both")
    traces = [generate(name, arguments.seed) for name in ([arguments.family] if arguments.family else FAMILIES)]
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for trace in traces:
            path = arguments.out / f"{trace.family}-{arguments.seed}.csv"
            path.write_text(as_csv(trace), encoding="utf-8")
    if arguments.sheet:
        arguments.sheet.write_text(sheet(traces), encoding="utf-8")


def as_csv(trace: Trace) -> str:
    """As ``homeostat leaks analyse`` reads it."""
    rows = zip(trace.times, trace.values, trace.limits, strict=True)
    return "timestamp,value,limit\n" + "".join(f"{at:.3f},{value:.0f},{limit:.0f}\n" for at, value, limit in rows)


if __name__ == "__main__":
    main()
