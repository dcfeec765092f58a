"""Globs of files that may be deleted: absolute, anchored in a folder, and never leading out of it.

``*``, ``?`` and ``[...]`` stand for what is in one name, a part ``**`` for any folders. As in shells, a name that
begins with a dot is meant only by a part that does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

#: Folders above what is deleted: no mistake in a name reaches /var or /home as a whole.
LEAST_FOLDERS = 2
ANY_FOLDERS = "**"
_WILD = re.compile(r"[*?[]")
_EXAMPLE = "for example /var/log/shop/*.log.*"

#: Parts that are still to be met, one by one, below some folder.
Rest = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileGlob:
    """``folder``: the parts before the first wildcard. ``rest``: what is to be met below it, the file's part last."""

    folder: tuple[str, ...]
    rest: Rest

    @property
    def root(self) -> str:
        """The folder that nothing is deleted above of."""
        return "/" + "/".join(self.folder)


def parse_file_glob(text: str) -> FileGlob:
    """Raises ValueError with what is allowed."""
    if not text.startswith("/"):
        raise ValueError(f"must be an absolute glob, {_EXAMPLE}")
    parts = text[1:].split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"must be a glob without empty parts, . and .., {_EXAMPLE}")
    folder = tuple(_before_wildcards(parts[:-1]))
    if len(folder) < LEAST_FOLDERS:
        raise ValueError(f"must begin with at least {LEAST_FOLDERS} folders without wildcards, {_EXAMPLE}")
    if parts[-1] == ANY_FOLDERS:
        raise ValueError(f"must end with the files' names, {_EXAMPLE}")
    return FileGlob(folder, tuple(parts[len(folder) :]))


def is_file_glob(text: str) -> None:
    """For settings. Raises ValueError."""
    parse_file_glob(text)


def starts(rest: Rest) -> frozenset[Rest]:
    """All that may be met next: ``**`` stands for no folder, too."""
    found = {rest}
    while rest[0] == ANY_FOLDERS:
        rest = rest[1:]
        found.add(rest)
    return frozenset(found)


def below(states: Iterable[Rest], folder: str) -> frozenset[Rest]:
    """What may be met in the folder of this name; empty when none of it is meant."""
    found: set[Rest] = set()
    for rest in states:
        if rest[0] == ANY_FOLDERS and not folder.startswith("."):
            found |= starts(rest)
        elif len(rest) > 1 and _is_named(folder, rest[0]):
            found |= starts(rest[1:])
    return frozenset(found)


def is_meant(states: Iterable[Rest], file: str) -> bool:
    """Whether the file of this name is."""
    return any(len(rest) == 1 and _is_named(file, rest[0]) for rest in states)


def _before_wildcards(parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        if _WILD.search(part):
            return
        yield part


def _is_named(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))
