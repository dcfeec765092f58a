"""System calls that fail, one after the other, underneath whatever makes them."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeostat import files

#: Those that change something; and closing, which may tell of an error that came late.
CALLS = (
    "open",
    "write",
    "fsync",
    "close",
    "replace",
    "ftruncate",
    "fchmod",
    "fchown",
    "setxattr",
    "unlink",
    "mkdir",
    "utime",
)
#: Stands for an error number: half of what was given is written, without an error.
SHORT = 0
#: The process is killed instead of the call; of a write, after half of it.
KILLED = -1


@dataclass(slots=True)
class Fault:
    """``at``: which call, counted from 0. ``lasts``: every one after it, too. ``hit``: what it was, once it came."""

    at: int
    number: int
    lasts: bool
    calls: int = 0
    hit: str = ""

    def is_due(self) -> bool:
        now = self.calls
        self.calls += 1
        return now == self.at or (self.lasts and now > self.at)


@contextlib.contextmanager
def failing(fault: Fault) -> Iterator[None]:
    """In this process, while the block runs. Closing what was only read from, or locked, does not fail."""
    real = {name: getattr(os, name) for name in CALLS}
    kept = files.replace.__defaults__  # it was given os.replace when it was defined
    written: set[int] = set()
    faulty = {name: _wrapped(name, call, fault, written) for name, call in real.items()}
    try:
        for name, call in faulty.items():
            setattr(os, name, call)
        files.replace.__defaults__ = (faulty["replace"], *(kept or ())[1:])
        yield
    finally:
        files.replace.__defaults__ = kept
        for name, call in real.items():
            setattr(os, name, call)


def _wrapped(name: str, call: Callable[..., Any], fault: Fault, written: set[int]) -> Callable[..., Any]:
    def faulty(*arguments: Any, **options: Any) -> Any:
        if (name == "close" and arguments[0] not in written) or not fault.is_due():
            return _made(name, call, written, arguments, options)
        fault.hit = fault.hit or name
        if fault.number == KILLED:
            _die(name, call, arguments)
        if name == "close":
            call(*arguments)  # the descriptor is gone, whatever it says
            written.discard(arguments[0])
        if fault.number == SHORT:
            return _short(name, call, arguments, options)
        raise OSError(fault.number, os.strerror(fault.number))

    return faulty


def _made(name: str, call: Callable[..., Any], written: set[int], arguments: Any, options: Any) -> Any:
    result = call(*arguments, **options)
    if name == "open" and arguments[1] & (os.O_WRONLY | os.O_RDWR) and Path(arguments[0]).name != "lock":
        written.add(result)
    if name == "close":
        written.discard(arguments[0])
    return result


def _die(name: str, call: Callable[..., Any], arguments: Any) -> None:
    if name == "write":
        call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def _short(name: str, call: Callable[..., Any], arguments: Any, options: Any) -> Any:
    match name:
        case "close":
            return None
        case "write":
            return call(arguments[0], bytes(arguments[1])[: max(1, len(arguments[1]) // 2)])
        case _:
            return call(*arguments, **options)
