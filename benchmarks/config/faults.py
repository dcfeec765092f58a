"""Every system call of a change fails once, and from some call on for good, with every error that it may have; and the
process dies at each of them: what was there stays, the error says so, and after the next start nothing is left of it.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from benchmarks.config.faulty import KILLED, SHORT, Fault, failing
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.moves import HalfDone
from homeostat.configfiles.spec import ManagedFile

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EBUSY, errno.EXDEV, errno.EROFS, errno.EDQUOT, SHORT)
_MODE = 0o640
_OLD, _NEW = b"A=old\n" * 50, b"A=new, and longer\n" * 50
_SPECS: Mapping[str, Mapping[str, bool]] = {
    "existing": {"first": True},
    "new": {"first": False},
    "in_place": {"in_place": True},
    "two": {"first": True, "second": True},
    "two_new": {"first": True, "second": False},
    "two_in_place": {"first": True, "in_place": True},
}


@dataclass(slots=True)
class Figures:
    """Counts of what came of so many faults; ``wrong``: each in words."""

    faults: int = 0
    by_call: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    half_done: int = 0
    killed: int = 0
    done_all_the_same: int = 0
    wrong: list[str] = field(default_factory=list)


def faults(workdir: Path, progress: Progress, errors: tuple[int, ...] = ERRORS) -> Figures:
    figures = Figures()
    task = progress.add_task("faults", total=len(_SPECS) * len(errors) * 2)
    for scene in _SPECS:
        _killed_at_each(scene, workdir, figures)
        for number in errors:
            for lasts in (False, True):
                _each_call(scene, number, workdir, figures, lasts=lasts)
                progress.advance(task)
    return figures


def _each_call(scene: str, number: int, workdir: Path, figures: Figures, *, lasts: bool) -> None:
    at = 0
    while True:
        folder = workdir / f"{scene}-{number}-{lasts}-{at}"
        fault = Fault(at, number, lasts)
        problems = _one(scene, folder, fault, figures)
        if not fault.hit:
            return
        figures.faults += 1
        figures.by_call[fault.hit] += 1
        name = errno.errorcode.get(number, "short write")
        figures.wrong += [f"{scene}, {name} at call {at} ({fault.hit}): {problem}" for problem in problems]
        at += 1


def _killed_at_each(scene: str, workdir: Path, figures: Figures) -> None:
    at = 0
    while True:
        folder = workdir / f"{scene}-killed-{at}"
        files = _prepared(folder, _SPECS[scene])
        before = _state(files)
        if not _is_killed(files, at):
            return
        figures.killed += 1
        problems = _after_start(files, folder, before, was_refused=False)
        figures.wrong += [f"{scene}, killed at call {at}: {problem}" for problem in problems]
        at += 1


def _is_killed(files: ConfigFiles, at: int) -> bool:
    """A child makes the change, and dies at that call if there are so many."""
    child = os.fork()
    if child == 0:
        with failing(Fault(at, KILLED, lasts=False)):
            files.write(dict.fromkeys(files.specs, _NEW), "benchmark", "killed")
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def _one(scene: str, folder: Path, fault: Fault, figures: Figures) -> list[str]:
    files = _prepared(folder, _SPECS[scene])
    before = _state(files)
    was_refused = False
    try:
        with failing(fault):
            files.write(dict.fromkeys(files.specs, _NEW), "benchmark", "a fault")
    except HalfDone as err:
        figures.half_done += 1
        problems = _bad_words(err, folder)
    except FileRefused as err:
        was_refused = True
        figures.refused += 1
        problems = _bad_words(err, folder) + _changed(files, before)
    except Exception as err:  # noqa: BLE001 - the point: nothing else may come out
        problems = [f"{type(err).__name__}: {err}"]
    else:
        figures.done_all_the_same += 1
        problems = [] if _all(files, _NEW) else ["said that it is done, and is not"]
    return problems + _after_start(files, folder, before, was_refused=was_refused)


def _prepared(folder: Path, exist: Mapping[str, bool]) -> ConfigFiles:
    """Versions of what is there are kept already, as the exporter sees to it."""
    live = folder / "live"
    live.mkdir(parents=True)
    specs = {}
    for name, is_there in exist.items():
        specs[name] = ManagedFile(path=live / name, format="text", in_place=name == "in_place")
        if is_there:
            specs[name].path.write_bytes(_OLD)
            specs[name].path.chmod(_MODE)
    files = ConfigFiles(specs, folder / "state")
    for name, is_there in exist.items():
        if is_there:
            files.accept(name, "benchmark", "as it is")
    return files


_Was = dict[str, tuple[bytes, int] | None]


def _state(files: ConfigFiles) -> _Was:
    return {name: _seen(spec.path) for name, spec in files.specs.items()}


def _seen(path: Path) -> tuple[bytes, int] | None:
    return (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) if path.exists() else None


def _changed(files: ConfigFiles, before: _Was) -> list[str]:
    return [f"{name} was changed" for name, was in before.items() if _seen(files.specs[name].path) != was]


def _all(files: ConfigFiles, raw: bytes) -> bool:
    return all(found is not None and found[0] == raw for found in _state(files).values())


def _bad_words(err: FileRefused, folder: Path) -> list[str]:
    words = str(err)
    wanted: Mapping[str, Callable[[str], bool]] = {
        "more than one line": lambda text: "\n" in text,
        "no path": lambda text: str(folder) not in text,
        "does not say what to do": lambda text: ";" not in text,
        "shows a value": lambda text: "A=" in text,
    }
    return [f"{problem}: {words}" for problem, is_so in wanted.items() if is_so(words)]


def _after_start(files: ConfigFiles, folder: Path, before: _Was, *, was_refused: bool) -> list[str]:
    """The next start ends it: all of it, or nothing; and the next change works."""
    problems = []
    try:
        files.recover()
        if _state(files) != before and not _all(files, _NEW):
            problems.append("half of it was left")
        if was_refused and _changed(files, before):
            problems.append("was refused, and done at the next start")
        problems += _strays(folder)
        for name, spec in files.specs.items():
            if spec.path.exists() and files.history(name)[-1].digest != files.read(name).digest:
                problems.append(f"the history of {name} is not what is there")
        files.write(dict.fromkeys(files.specs, _OLD + b"B=1\n"), "benchmark", "after it")
    except Exception as err:  # noqa: BLE001 - counted, with the fault that led to it
        problems.append(f"afterwards {type(err).__name__}: {err}")
    return problems + _strays(folder)


def _strays(folder: Path) -> list[str]:
    left = [path.name for path in folder.rglob("*") if ".homeostat-" in path.name or path.parent.name == "pending"]
    return [f"left behind: {', '.join(left)}"] if left else []
