"""Old files, found by globs and deleted, without ever leaving the folders that the globs name.

Each folder is opened by its name in the one above it, never by a path, and never through a link: a link that somebody
puts in the place of a folder meanwhile leads nowhere. Nothing but names of plain files is removed.
"""

import errno
import os
import signal
import stat
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from homeostat.globs import FileGlob, Rest, below, is_meant, starts

if sys.platform == "linux":
    import fcntl

#: In one step. What is more than this is left for the next one.
MOST_FILES = 10_000
#: Folders below each other, each held open.
_DEEPEST = 32
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system's own blocks are

#: (device, inode)
Identity = tuple[int, int]


@dataclass(slots=True)
class Swept:
    """``bytes``: freed by that. ``held``: left, as a process has them open. ``problems``: what could not be deleted or
    entered, and why, a few of them. ``is_cut``: the time or the bound of files was reached.
    """

    files: int = 0
    bytes: int = 0
    held: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)
    is_cut: bool = False

    def refuse(self, what: str, err: OSError) -> None:
        self.refused += 1
        if len(self.problems) < 3:  # noqa: PLR2004 - enough to know what to mend
            self.problems.append(f"{what}: {err.strerror}")


@dataclass(frozen=True, slots=True)
class Sweep:
    """``before``: files last written before that (epoch seconds) go. ``forbidden``: folders that are never entered.
    ``is_over``: whether the time is. All methods block.
    """

    before: float
    forbidden: Collection[Identity]
    is_over: Callable[[], bool]
    swept: Swept = field(default_factory=Swept)

    def run(self, globs: Iterable[FileGlob]) -> None:
        """Delete what they mean and is old enough; what comes of it is added to ``swept``."""
        for glob in globs:
            try:
                self._run(glob)
            except FileNotFoundError:  # there is nothing
                continue
            except OSError as err:
                self.swept.refuse(glob.root, _explained(err))

    def _run(self, glob: FileGlob) -> None:
        folder = self._open_root(glob)
        if folder is None:
            return
        try:
            self._sweep(folder, glob.root, starts(glob.rest), 0)
        finally:
            os.close(folder)

    def _open_root(self, glob: FileGlob) -> int | None:
        """None when a folder on the way is forbidden."""
        folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        for name in glob.folder:
            try:
                inner = self._enter(folder, name)
            finally:
                os.close(folder)
            if inner is None:
                return None
            folder = inner
        return folder

    def _enter(self, folder: int, name: str) -> int | None:
        """None when it is forbidden. Raises OSError when it is no folder (any more), or may not be entered."""
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        found = os.fstat(inner)
        if (found.st_dev, found.st_ino) in self.forbidden:
            os.close(inner)
            return None
        return inner

    def _sweep(self, folder: int, path: str, states: Collection[Rest], depth: int) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if self.is_over() or self.swept.files >= MOST_FILES:
                    self.swept.is_cut = True
                    return
                if entry.is_dir(follow_symlinks=False):
                    self._descend(folder, entry.name, path, below(states, entry.name), depth + 1)
                elif is_meant(states, entry.name):
                    self._consider(folder, entry.name, path)

    def _descend(self, folder: int, name: str, path: str, states: Collection[Rest], depth: int) -> None:
        if not states:
            return
        if depth > _DEEPEST:
            self.swept.is_cut = True
            return
        try:
            inner = self._enter(folder, name)
            if inner is None:
                return
            try:
                self._sweep(inner, f"{path}/{name}", states, depth)
            finally:
                os.close(inner)
        except FileNotFoundError:  # gone meanwhile
            return
        except OSError as err:
            self.swept.refuse(f"{path}/{name}", _explained(err))

    def _consider(self, folder: int, name: str, path: str) -> None:
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode) or found.st_mtime >= self.before:
                return
            if is_held(folder, name):
                self.swept.held += 1
                return
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as err:
            self.swept.refuse(f"{path}/{name}", err)
            return
        self.swept.files += 1
        # Of a file with another name, the space is still taken.
        self.swept.bytes += found.st_blocks * _BLOCK_BYTES if found.st_nlink == 1 else 0


def is_held(folder: int, name: str) -> bool:
    """Whether a process has the file open or mapped. False where the system does not tell: its age has to do then.

    Such a file stays: to take its name away frees nothing, as long as it is held, and hides what fills the disk from
    everybody who looks for it. The kernel knows of every holder, in whatever container: it gives a lease for writing
    (fcntl(2)) only on a file that nobody else has open.
    """
    if sys.platform != "linux":
        return False
    try:
        # Without waiting: by now it may be a pipe.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return False
    try:
        # Who opens it in this moment has us sent a signal: one that does nothing, SIGIO would end us.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as err:  # not our file, or a file system without leases
        return err.errno == errno.EAGAIN
    finally:
        os.close(file)
    return False


def _explained(err: OSError) -> OSError:
    if err.errno in (errno.ELOOP, errno.ENOTDIR):
        return OSError(err.errno, "a link, or no folder; links are not followed")
    return err
