"""How well leaks are found: ``python -m benchmarks.leaks --json``.

Ours and every baseline on traces of families that the detector's parameters were not made with. Held-out families and
held-out seeds are for the last run, once the parameters are what they will be; ``--split development`` is to work with,
and ``--split validation`` to choose between what was made with it.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import get_args

from rich.console import Console
from rich.progress import Progress

from benchmarks.leaks import cost
from benchmarks.leaks.contenders import OURS
from benchmarks.leaks.corpus import Split, families
from benchmarks.leaks.report import report
from benchmarks.leaks.run import CONTENDERS, jobs, run

#: Less than ten minutes with all contenders on two cores.
_SEEDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks")
    parser.add_argument("--split", choices=get_args(Split), default="held_out", help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=_SEEDS, help="traces of each family (default: %(default)s)")
    parser.add_argument("--family", action="append", metavar="NAME", help="may be repeated")
    parser.add_argument("--only", action="append", choices=tuple(CONTENDERS), metavar="CONTENDER", help="the same")
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    contenders = arguments.only or tuple(CONTENDERS)
    chosen = _families(arguments.split, arguments.family)
    try:
        todo = jobs(chosen, arguments.split, arguments.seeds, contenders)
    except ValueError as err:
        parser.error(str(err))
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("traces", total=len(todo))
        results = run(todo, lambda: progress.advance(task))
    # Not beside a progress bar: it is drawn by a thread of the process that is measured.
    spent = cost.measure() if OURS in contenders else None
    plan = {"split": arguments.split, "seeds": arguments.seeds, "families": chosen}
    report(results, spent, plan, as_json=arguments.as_json)


def _families(split: Split, chosen: Sequence[str] | None) -> list[str]:
    """Of the split; those chosen by name have to be in it, so that nobody looks at held-out ones by mistake."""
    there = [family.name for family in families(split)]
    if unknown := set(chosen or ()) - set(there):
        sys.exit(f"{', '.join(sorted(unknown))}: not of the {split} split; its families: {', '.join(there)}")
    return list(chosen or there)


if __name__ == "__main__":
    main()
