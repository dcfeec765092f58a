"""One change at a time, of all files together: a set of files that must fit together is changed by one, or by the
other.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from homeostat import files
from homeostat.clock import SystemClock
from homeostat.configfiles.errors import Busy, FileRefused

_LOOK_EVERY_S = 0.02
_CLOCK = SystemClock()


@contextlib.contextmanager
def locked(
    path: Path,
    wait_s: float,
    now: Callable[[], float] = _CLOCK.monotonic,
    sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 - synchronous, for threads; Clock cannot
) -> Iterator[None]:
    """Hold the lock while the block runs. The kernel frees it when its holder dies, so none is ever stale; one who
    hangs is named. Raises Busy after ``wait_s``, FileRefused where there can be no lock.
    """
    with _refusing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    until = now() + wait_s
    with contextlib.ExitStack() as held:
        while True:
            try:
                with _refusing(path):
                    held.enter_context(files.lock(path))
                break
            except files.Locked as err:
                if now() >= until:
                    raise Busy(
                        f"{err}, which is changing managed files for more than {wait_s:g} s; wait, or end that process"
                    ) from err
                sleep(_LOOK_EVERY_S)
        yield


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise FileRefused(
            f"{path}: cannot be locked: {err.strerror or err}; free disk space there, or let homeostat's user write in "
            "its folder; nothing was changed"
        ) from err
