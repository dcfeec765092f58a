r"""Windows and its Linux (WSL2) name the same file differently; settings may hold either name.

``C:\shop`` is ``/mnt/c/shop`` in Linux (where wsl.conf mounts the drives elsewhere: give Linux names in settings), and
Linux's ``/srv/shop`` is ``\\wsl.localhost\Ubuntu\srv\shop`` in Windows, before Windows 11 ``\\wsl$\Ubuntu\...``.
Source: "Working across Windows and Linux file systems" and wslpath(1).
"""

import os
import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Final

from homeostat.platforms import Platform, System

#: In WSL, by WSL itself; not for what systemd starts.
DISTRO_VARIABLE: Final = "WSL_DISTRO_NAME"
_DRIVE = re.compile(r"([A-Za-z]):[\\/](.*)", re.DOTALL)
_SHARE = re.compile(r"[\\/]{2}wsl(?:\$|\.localhost)[\\/]([^\\/]+)(?:[\\/](.*))?", re.DOTALL | re.IGNORECASE)
_MOUNTED = re.compile(r"/mnt/([a-z])(?:/(.*))?", re.DOTALL)
#: Not in names of Windows. WSL shows them as letters of a private range, which nobody writes down.
_NEVER_IN_WINDOWS = re.compile(r'[<>:"|?*\\\x00-\x1f]')


def to_linux(path: str, distro: str) -> str | None:
    r"""The name in the WSL distribution ``distro`` of an absolute Windows path.

    None for what is no such path (``C:file`` is relative), for files of other distributions and of the network.
    """
    if drive := _DRIVE.fullmatch(path):
        return f"/mnt/{drive[1].lower()}/{_slashes(drive[2])}"
    share = _SHARE.fullmatch(path)
    if share and share[1].casefold() == distro.casefold():
        return f"/{_slashes(share[2] or '')}"
    return None


def to_windows(path: str, distro: str) -> str | None:
    """The name in Windows of an absolute path of the distribution ``distro``; an empty one: only of what is on drives.

    None for what is no such path, and where a name has characters that Windows does not allow.
    """
    if not path.startswith("/") or path.startswith("//") or _NEVER_IN_WINDOWS.search(path):
        return None
    if mounted := _MOUNTED.fullmatch(path):
        return f"{mounted[1].upper()}:\\{_backslashes(mounted[2] or '')}"
    return rf"\\wsl.localhost\{distro}{_backslashes(path)}" if distro else None


def local_path(path: str | PurePath, platform: Platform, distro: str) -> str:
    """``path`` as this system names it: itself, or its translation where it is of the other kind."""
    text = str(path)
    if platform.is_wsl:
        return to_linux(text, distro) or text
    if platform.system is System.WINDOWS:
        return to_windows(_slashes(text), "") or text
    return text


def local_program(program: str, platform: Platform, distro: str, exists: Callable[[str], bool] = os.path.exists) -> str:
    r"""As :func:`local_path`, of a program: in WSL, ``C:\tools\check`` may mean ``check.exe``, as it does in Windows.

    A bare name is left alone: ``docker`` never becomes ``docker.exe``, which would not understand Linux's paths.
    """
    found = local_path(program, platform, distro)
    if found != program and not exists(found) and exists(f"{found}.exe"):
        return f"{found}.exe"
    return found


def _slashes(path: str) -> str:
    return path.replace("\\", "/")


def _backslashes(path: str) -> str:
    return path.replace("/", "\\")
