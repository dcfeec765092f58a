"""Where the files of a compose project are: as homeostat.yml says, else as the labels of its containers say.

Whoever may set labels on the engine is as good as root already; who can only write a file that a label names is not.
So files from labels are used only when nobody else can write them.
"""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from homeostat import names
from homeostat.containers import Container
from homeostat.errors import NotSupported
from homeostat.sections import ComposeFiles, DockerSettings

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class ComposeProject:
    """``folder``: what is relative in the files is relative to it; None for the folder of the first one."""

    name: str
    files: tuple[Path, ...]
    env_files: tuple[Path, ...] = ()
    folder: Path | None = None


def find_project(container: Container, docker: DockerSettings) -> ComposeProject:
    """The project that ``container`` belongs to. Looks at files: call it in a thread.

    Raises NotSupported, with the file and the reason, when it is not of compose or its files cannot be used.
    """
    name = container.labels.get(names.COMPOSE_PROJECT, "")
    if not name:
        raise NotSupported(f"{container.name} was not made by docker compose")
    if given := docker.compose.get(name):
        return _given(name, given)
    project = _labelled(container, name)
    override = f"name its files in docker.compose.{name} of homeostat.yml"
    if sys.platform == "win32":
        raise NotSupported(f"project {name}: who owns files is not known on Windows; {override}")
    for path in (*project.files, *(project.env_files or _default_env_file(project))):
        if problem := _distrust(path):
            raise NotSupported(f"project {name}: {path}: {problem}; or {override}")
    return project


def _given(name: str, given: ComposeFiles) -> ComposeProject:
    for path in (*given.files, *given.env_files):
        if not path.is_file():
            raise NotSupported(f"docker.compose.{name}: {path}: no such file")
    return ComposeProject(name, given.files, given.env_files)


def _labelled(container: Container, name: str) -> ComposeProject:
    files = _paths(container, names.COMPOSE_FILES)
    if not files:
        raise NotSupported(f"{container.name} does not say which files project {name} was made from")
    folder = container.labels.get(names.COMPOSE_FOLDER)
    return ComposeProject(name, files, _paths(container, names.COMPOSE_ENV_FILES), Path(folder) if folder else None)


def _paths(container: Container, label: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in container.labels.get(label, "").split(",") if part)


def _default_env_file(project: ComposeProject) -> tuple[Path, ...]:
    """What compose reads when it is told of none."""
    path = (project.folder or project.files[0].parent) / ".env"
    return (path,) if os.path.lexists(path) else ()


def _distrust(path: Path) -> str:
    """Why a file is not used, with what is allowed; empty when it is."""
    if not path.is_absolute():
        return "is no absolute path; allowed: a file of this host"
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return "is no plain file; allowed: no links, no folders"
        for part in _way_to(path):
            if problem := _weakness(part):
                return f"{'' if part == path else f'its folder {part} '}{problem}"
    except OSError as err:
        return f"cannot be read here ({err.strerror}); allowed: the same path as where compose was run"
    return ""


def _way_to(path: Path) -> Iterator[Path]:
    """The file and every folder above it, and the same again where links lead."""
    yield from (path, *path.parents)
    if (real := path.resolve()) != path:
        yield from (real, *real.parents)


def _weakness(path: Path) -> str:
    status = path.lstat()
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to user {status.st_uid}; allowed: root and the responder's own user"
    if stat.S_ISLNK(status.st_mode) or not status.st_mode & _WRITABLE_BY_OTHERS:
        return ""
    # As /tmp is: others may add files there, not replace ours.
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return ""
    return "can be written by others; allowed: by its owner only (chmod go-w)"
