"""What managed configuration files promise: ``python -m benchmarks.config --json``. Linux.

Crashes are of real processes, and failing system calls of the real code: what fails is the call itself. Both are played
in memory: what a killed process has written stays without a disk, and waiting for one would only make kills hit that.
Corruption needs a Docker Engine: it starts examples/shop and a homeostat of its own.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import Progress

from benchmarks.config import corruption, crash, faults, hashing, roundtrip
from benchmarks.config.report import Figures, report
from chaos.harness import working_folder

SCENARIOS = ("crash", "faults", "hashing", "roundtrip", "corruption")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of what."""

    updates: int = 10_000
    files: int = 1000
    rounds: int = 50
    damages: int = 1
    seed: int = 1


_MEMORY = Path("/dev/shm")
_FULL = Sizes()
_QUICK = Sizes(updates=500, files=100, rounds=10)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.config")
    parser.add_argument("--only", type=_scenarios, default=SCENARIOS, help=f"of {','.join(SCENARIOS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, or less")
    parser.add_argument("--updates", type=int, help=f"of the crash scenario (default: {_FULL.updates})")
    parser.add_argument("--seed", type=int, default=_FULL.seed, help="of all that is random (default: %(default)s)")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--on", type=Path, default=_MEMORY, help="folder for crash and faults (default: %(default)s)")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("this benchmark needs Linux: it kills processes and has system calls fail")
    # That changes are finished or taken back is what is wanted here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sizes = replace(_QUICK if arguments.quick else _FULL, seed=arguments.seed)
    sizes = replace(sizes, updates=arguments.updates or sizes.updates)
    report(_run(arguments.only, sizes, arguments.on), asdict(sizes), as_json=arguments.as_json)


def _scenarios(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(SCENARIOS):
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}; allowed: {', '.join(SCENARIOS)}")
    return chosen


def _run(only: tuple[str, ...], sizes: Sizes, on: Path) -> Figures:
    figures = Figures()
    with ExitStack() as exits:
        progress = exits.enter_context(Progress(console=Console(stderr=True)))
        folder = exits.enter_context(working_folder("bench-config"))
        quick = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-config-", dir=on)))
        if "hashing" in only:
            figures.watched = hashing.hashing(sizes.files, sizes.rounds, _in(folder, "hashing"), progress)
        if "roundtrip" in only:
            figures.trips = roundtrip.roundtrip(progress)
        if "corruption" in only:
            damaged = corruption.corruption(sizes.damages, sizes.seed, _in(folder, "corruption"), progress)
            figures.damages = asyncio.run(damaged)
        if "faults" in only:
            figures.failures = faults.faults(_in(quick, "faults"), progress)
        if "crash" in only:
            figures.crashes = crash.crash(sizes.updates, sizes.seed, _in(quick, "crash"), progress)
    return figures


def _in(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    return path


if __name__ == "__main__":
    main()
