"""Writers are killed again and again while they change the same files and others read them: no update is lost, no
reader sees anything that no writer wrote.
"""

import contextlib
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress, TaskID

from benchmarks.config.crashset import COUNTER, PAIRED, READERS, WRITERS, counter, numbers, opened, paired
from homeostat.configfiles.managed import ConfigFiles

#: Seconds of a writer's life, from when it is about to recover what the last one left.
_LIFE_S = (0.01, 0.1)
#: Of the kills, so early that it may still start.
_EARLY = 0.1
_LOOK_S = 0.002


@dataclass(slots=True)
class Figures:
    """What must not be, in counts, is named in :func:`benchmarks.config.report`. ``unacknowledged``: updates that were
    made, and whose writer was killed before it could say so.
    """

    updates: int = 0
    kills: int = 0
    took_s: float = 0.0
    acknowledged: int = 0
    unacknowledged: int = 0
    conflicts: int = 0
    reads: int = 0
    contents_seen: int = 0
    lost: list[str] = field(default_factory=list)
    never_written: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def crash(updates: int, seed: int, workdir: Path, progress: Progress) -> Figures:
    """Until there are so many updates, kills at random."""
    figures, rng = Figures(updates), random.Random(seed)
    files = opened(workdir)
    (workdir / "live").mkdir()
    none = dict.fromkeys(range(WRITERS), 0)
    files.write({COUNTER: counter(0, none, 0), PAIRED: paired(0)}, "benchmark", "0")
    begin = time.perf_counter()
    readers = [_python("crashreader", str(workdir), str(workdir / f"reader-{index}")) for index in range(READERS)]
    try:
        with ThreadPoolExecutor(WRITERS) as threads:
            rngs = [random.Random(rng.random()) for _ in range(WRITERS)]
            lives = [threads.submit(_killed_often, index, updates, workdir, rngs[index]) for index in range(WRITERS)]
            _show(files, lives, progress, progress.add_task("crash: updates", total=updates))
            figures.kills = sum(life.result() for life in lives)
    finally:
        for reader in readers:
            reader.terminate()
            reader.wait()
    figures.took_s = time.perf_counter() - begin
    _audit(files, workdir, figures)
    return figures


def _python(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Without its log: that a start has finished a change is what is wanted here."""
    return subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.config.{module}", *arguments], stdout=subprocess.DEVNULL
    )


def _killed_often(index: int, goal: int, workdir: Path, rng: random.Random) -> int:
    """How often, until it came to its end."""
    log, kills = workdir / f"writer-{index}", 0
    log.touch()
    while True:
        at = log.stat().st_size
        writer = _python("crashwriter", str(workdir), str(index), str(goal), str(log))
        try:
            if rng.random() < _EARLY:
                _wait(writer, rng.uniform(0.0, 0.3))
            else:
                while log.stat().st_size == at and writer.poll() is None:
                    time.sleep(_LOOK_S)
                _wait(writer, rng.uniform(*_LIFE_S))
        finally:
            writer.kill()
            code = writer.wait()
        if code == 0:
            return kills
        if code > 0:
            raise RuntimeError(f"writer {index} failed; see above")
        kills += 1


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _show(files: ConfigFiles, lives: Sequence[Future[int]], progress: Progress, task: TaskID) -> None:
    while not all(life.done() for life in lives):
        if (found := files.read(COUNTER).found) is not None:
            progress.update(task, completed=numbers(found.raw)["TOTAL"])
        wait(lives, 0.2)


def _audit(files: ConfigFiles, workdir: Path, figures: Figures) -> None:
    """After one more start."""
    files.recover()
    _acknowledged(files, workdir, figures)
    _consistent(files, figures)
    _readers(files, workdir, figures)
    figures.strays = [
        str(path.relative_to(workdir))
        for path in workdir.rglob("*")
        if ".homeostat-" in path.name or path.parent.name == "pending"
    ]


def _acknowledged(files: ConfigFiles, workdir: Path, figures: Figures) -> None:
    """Each one is in the history under the number and with the content that was said, and no number of it twice."""
    history = {version.number: version for version in files.history(COUNTER)}
    said: Counter[str] = Counter()
    for line in _lines(workdir, "writer-*", "ack"):
        number, total, digest, conflicts = line.split()
        figures.conflicts += int(conflicts)
        said[total] += 1
        version = history.get(int(number))
        if version is None or (version.why, version.digest) != (total, digest):
            figures.lost.append(f"update {total}, version {number}")
    figures.lost += [f"update {total} was made {times} times" for total, times in said.items() if times > 1]
    figures.acknowledged = len(said)
    figures.unacknowledged = len(history) - 1 - len(said)


def _consistent(files: ConfigFiles, figures: Figures) -> None:
    """The history counts without a gap, each content is whole, and both files are where it says."""
    history = files.history(COUNTER)
    versions = files.place.versions(COUNTER)
    for expected, version in enumerate(history):
        # content() raises where it is not what its digest says
        inside = numbers(versions.content(version.digest))
        own = sum(inside[f"WRITER_{index}"] for index in range(WRITERS))
        if (version.number - 1, inside["TOTAL"], own, version.why) != (expected, expected, expected, str(expected)):
            figures.lost.append(f"version {version.number} is {inside}, and should be {expected}")
    now = {name: files.read(name).found for name in (COUNTER, PAIRED)}
    if (found := now[COUNTER]) is None or found.digest != history[-1].digest or len(history) != figures.updates + 1:
        figures.damaged.append(f"the file is not the last one of {len(history)} versions")
    pairs = files.history(PAIRED)
    if (found := now[PAIRED]) is None or found.digest != pairs[-1].digest:
        figures.damaged.append("the second file is not its last version")
    by_change = {version.change: version.why for version in history}
    for pair in pairs:
        whole = numbers(files.place.versions(PAIRED).content(pair.digest))
        if {str(value) for value in whole.values()} != {by_change.get(pair.change)}:
            figures.damaged.append(f"version {pair.number} of the second file does not fit to the first one")
    last = numbers(files.place.versions(COUNTER).content(history[-1].digest))["PAIR"]
    if pairs[-1].why != str(last):
        figures.damaged.append("the second file is not what the first one says of it")


def _readers(files: ConfigFiles, workdir: Path, figures: Figures) -> None:
    written = {(name, version.digest) for name in (COUNTER, PAIRED) for version in files.history(name)}
    for line in _lines(workdir, "reader-*", "seen"):
        name, digest = line.split()
        figures.contents_seen += 1
        if (name, digest) not in written:
            figures.never_written.append(f"{name}: {digest}")
    for word in ("torn", "absent", "back"):
        figures.never_written += [f"{word} {line}" for line in _lines(workdir, "reader-*", word)]
    figures.reads = sum(int(line) for line in _lines(workdir, "reader-*", "reads"))


def _lines(workdir: Path, logs: str, word: str) -> Iterator[str]:
    for log in sorted(workdir.glob(logs)):
        for line in log.read_text().splitlines():
            first, _, rest = line.partition(" ")
            if first == word:
                yield rest
