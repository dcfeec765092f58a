"""Which platform this is and what it can do, found once by the composition root and passed on."""

import hashlib
import os
import platform as stdlib_platform
import re
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

#: sun_path is 108 bytes on Linux and 104 on macOS, with the final NUL.
_SOCKET_PATH_LIMIT = 100
_SOCKET_NAME = "guardian.sock"
#: Not $TMPDIR: guardian and client are started from different places and must find the same folder.
_TEMP = Path("/tmp")  # noqa: S108 - the folder inside is 0700 and its owner is checked (private_folder)
#: Windows drives in WSL (drvfs, 9p): no unix sockets there.
_WSL_DRIVE = re.compile(r"/mnt/[a-z](/|$)")


class System(StrEnum):
    """Operating systems that homeostat tells apart."""

    LINUX = "linux"
    WINDOWS = "windows"
    MACOS = "macos"


@dataclass(frozen=True, slots=True)
class Platform:
    """What this machine can do.

    ``is_wsl``: a Linux kernel beside Windows. ``has_pidfd``: the kernel tells of a process's end
    through a file descriptor. ``has_unix_sockets``: asyncio can serve one (else a named pipe).
    """

    system: System
    is_wsl: bool
    has_pidfd: bool
    has_unix_sockets: bool


def detect() -> Platform:
    """This machine."""
    system = _system(sys.platform)
    return Platform(
        system=system,
        is_wsl=is_wsl_kernel(stdlib_platform.release()),
        has_pidfd=_can_open_pidfd(),
        has_unix_sockets=system is not System.WINDOWS,
    )


def is_wsl_kernel(release: str) -> bool:
    """``5.15.90.1-microsoft-standard-WSL2``; WSL 1 calls itself ``4.4.0-19041-Microsoft``."""
    return "microsoft" in release.lower()


def boot_id() -> str:
    """Which run of the machine this is; empty where process starts are absolute, so that it does not matter."""
    if sys.platform != "linux":
        return ""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def control_socket_path(state_dir: Path, platform: Platform | None = None) -> Path:
    """Where the guardian of ``state_dir`` is reached: a unix socket, on Windows a named pipe.

    The socket is in ``state_dir``. Where that path is too long, or on a drive that cannot hold a socket, it
    is in a folder of the temp dir whose name both sides compute from ``state_dir`` and its owner;
    whoever creates that folder does it with :func:`private_folder`.
    """
    platform = platform or detect()
    home = state_dir.resolve()
    if not platform.has_unix_sockets:
        return Path(rf"\\.\pipe\homeostat-{_digest(str(home))}")
    path = home / _SOCKET_NAME
    is_on_windows_drive = platform.is_wsl and _WSL_DRIVE.match(str(home)) is not None
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT and not is_on_windows_drive:
        return path
    # The owner, not the caller: root's client has to find the guardian of a user.
    owner = home.stat().st_uid if home.exists() else _uid()
    return _TEMP / f"homeostat-{_digest(f'{owner}:{home}')}" / _SOCKET_NAME


def private_folder(path: Path) -> None:
    """Make ``path`` a folder that only this user can enter.

    Raises PermissionError when somebody else made it first: in a shared temp dir that is an attack.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if sys.platform != "win32" and (status.st_uid != _uid() or path.is_symlink()):
        raise PermissionError(f"{path} belongs to user {status.st_uid}; remove it")
    path.chmod(0o700)


def _system(name: str) -> System:
    match name:
        case "win32" | "cygwin":
            return System.WINDOWS
        case "darwin":
            return System.MACOS
        case _:
            return System.LINUX


def _can_open_pidfd() -> bool:
    # Asked, not looked up: kernels before 5.3 and some seccomp profiles refuse it.
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _uid() -> int:
    if sys.platform == "win32":
        return 0
    return os.geteuid()
