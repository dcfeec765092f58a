"""What it costs to watch many files: a round in which nothing changed, and one in which every file is read again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from exporters.configwatch import HASH_EVERY_S, STAT_EVERY_S, ConfigWatch
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.spec import ManagedFile

_BYTES = 64 * 1024


@dataclass(slots=True)
class Figures:
    """CPU seconds of each round. ``first_s``: of those in which each file is judged, and its first version kept."""

    files: int
    first_s: float = 0.0
    stat_s: list[float] = field(default_factory=list)
    hash_s: list[float] = field(default_factory=list)
    judged: int = 0


@dataclass(slots=True)
class _Clock:
    """Time that is moved on by hand: ten minutes are not waited for."""

    at: float = 1000.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


def hashing(count: int, repetitions: int, workdir: Path, progress: Progress) -> Figures:
    figures, clock = Figures(count), _Clock()
    watch = ConfigWatch(_files(count, workdir), clock)
    task = progress.add_task("hashing: rounds", total=1 + 2 * repetitions)
    # The second one judges again what the first one has kept.
    figures.first_s = _cpu_s(watch.round) + _cpu_s(watch.round)
    progress.advance(task)
    for _ in range(repetitions):
        clock.at += STAT_EVERY_S
        figures.stat_s.append(_cpu_s(watch.round))
        progress.advance(task)
    for _ in range(repetitions):
        clock.at += HASH_EVERY_S + 1
        figures.hash_s.append(_cpu_s(watch.round))
        progress.advance(task)
    figures.judged = sum(report.last_good is not None for report in watch.reports())
    return figures


def _files(count: int, workdir: Path) -> ConfigFiles:
    specs = {}
    for index in range(count):
        path = workdir / f"{index:04}.env"
        lines = "".join(f"LINE_{line}={index}-{'x' * 40}\n" for line in range(_BYTES // 60))
        path.write_text(lines + "#" * (_BYTES - len(lines) - 1) + "\n")
        specs[f"file{index:04}"] = ManagedFile(path=path, settle=0.0)
    return ConfigFiles(specs, workdir / "state")


def _cpu_s(call: Callable[[], object]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin
