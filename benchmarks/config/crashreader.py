"""One reader: ``python -m benchmarks.config.crashreader FOLDER LOG``, until SIGTERM. As an application reads its file:
open, read, close. Says in LOG each content that it saw, once, by its digest, and whatever must not be.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.config.crashset import COUNTER, PAIRED, numbers, opened
from homeostat.configfiles.reading import digest_of

_PAUSE_S = 0.001


def main() -> None:
    specs = opened(Path(sys.argv[1])).specs
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    reads = 0
    with Path(sys.argv[2]).open("w", buffering=1) as log:
        last = dict.fromkeys((COUNTER, PAIRED), "")
        newest = dict.fromkeys((COUNTER, PAIRED), -1)
        while not stopped:
            for name in (COUNTER, PAIRED):
                reads += 1
                _look(name, specs[name].path, last, newest, log.write)
            time.sleep(_PAUSE_S)
        log.write(f"reads {reads}\n")


def _look(name: str, path: Path, last: dict[str, str], newest: dict[str, int], say: Callable[[str], object]) -> None:
    try:
        raw = _read(path)
    except OSError as err:
        say(f"absent {name} {err.errno}\n")
        return
    digest = digest_of(raw)
    if digest == last[name]:
        return
    last[name] = digest
    say(f"seen {name} {digest}\n")
    try:
        number = numbers(raw)["TOTAL" if name == COUNTER else "LINE_0"]
    except (ValueError, LookupError):
        say(f"torn {name} {len(raw)}\n")
        return
    if number < newest[name]:
        say(f"back {name} {newest[name]} {number}\n")
    newest[name] = number


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
