"""Why a program cannot be started, and whether that may pass within a moment. Pure.

Only starting is tried again, never a command that has started: what it did by then, nobody knows.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from homeostat.errors import HomeostatError, NotFound, NotSupported, Permanent, Temporary

#: Passing, by errno (POSIX; Windows, too, where it is the C library that refuses).
PASSING_ERRNOS: Final = {
    errno.EAGAIN: "too many processes of this user, or in this cgroup",
    errno.ENOMEM: "no memory for another process",
    errno.EMFILE: "too many open files here",
    errno.ENFILE: "too many open files on this machine",
    errno.ETXTBSY: "its file is being written, as by an installer",
}
#: Passing, by Windows error.
PASSING_WINERRORS: Final = {
    5: "ERROR_ACCESS_DENIED: a virus scanner looks at it, or it is about to be deleted; or we may not run it",
    8: "ERROR_NOT_ENOUGH_MEMORY: no memory for another process",
    32: "ERROR_SHARING_VIOLATION: its file is open elsewhere, as at a virus scanner or installer",
    33: "ERROR_LOCK_VIOLATION: a part of its file is locked",
    231: "ERROR_PIPE_BUSY: all instances of the pipe are taken",
    1450: "ERROR_NO_SYSTEM_RESOURCES: the kernel has none left for another process",
    1455: "ERROR_COMMITMENT_LIMIT: the paging file is too small just now",
}
#: Those that, still there after all retries, will stay.
_LASTING_WINERRORS = frozenset({5})
_NO_SUCH_FOLDER_WINERROR = 267
#: Of POSIX, and of Windows. Python's FileNotFoundError is 206, too: arguments of more than 32767 characters.
_NO_SUCH_FILE = frozenset({None, 2, 3})
#: Before the second attempt and each one after it: over a virus scanner's look at a new file.
_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)


def may_pass(err: Exception) -> bool:
    """Whether the next attempt may succeed."""
    if not isinstance(err, OSError):
        return False
    winerror = _winerror(err)
    return err.errno in PASSING_ERRNOS if winerror is None else winerror in PASSING_WINERRORS


def waits_s(random: Callable[[], float]) -> Iterator[float]:
    """The waits between attempts, 1.6 s at most together; ``random``, in [0, 1), takes up to half of each away."""
    return (wait_s * (1 - random() / 2) for wait_s in _WAITS_S)


def start_error(err: Exception, argv: Sequence[str], cwd: Path | None) -> HomeostatError:
    """``err``, raised by the system on a start, in our words."""
    failed = f"{argv[0]}: cannot be started: "
    match err:
        case OSError() if _winerror(err) == _NO_SUCH_FOLDER_WINERROR:
            return NotFound(f"{failed}no {cwd}")
        case FileNotFoundError() if _winerror(err) in _NO_SUCH_FILE:
            # The system names the folder when it is that which is missing, but never a script's interpreter.
            missing = err.filename or argv[0]
            is_path = missing == argv[0] and "/" in missing
            return NotFound(f"{failed}no {missing}" + (", or not what its first line names" if is_path else ""))
        case OSError() if may_pass(err) and _winerror(err) not in _LASTING_WINERRORS:
            return Temporary(f"{failed}{err.strerror}")
        case OSError():
            return Permanent(f"{failed}{err.strerror}")
        case _:
            return Permanent(f"{failed}{err}")


def check_batch_file(argv: Sequence[str]) -> None:
    """Raises NotSupported for a batch file on Windows: CreateProcess hands it, with its arguments, to cmd.exe."""
    if argv[0].rstrip(". ").lower().endswith((".bat", ".cmd")):
        raise NotSupported(
            f"{argv[0]}: cannot be started: a shell would read the arguments of a batch file; "
            "allowed: a program, also [cmd.exe, /c, FILE]"
        )


def _winerror(err: OSError) -> int | None:
    return getattr(err, "winerror", None)  # an attribute of Windows only
