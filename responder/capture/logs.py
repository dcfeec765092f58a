"""The newest lines of its log: the engine's of a container, the file of a supervised process."""

import os
from pathlib import Path

from homeostat.enginelogs import from_line_start
from homeostat.errors import NotFound
from responder.capture.asking import engine_of, in_thread
from responder.capture.base import CaptureTools, Section, Subject

#: Asked of an engine: what log_bytes usually hold. The engine counts lines, not bytes.
_LINES = 500
_NOT_READ = "[earlier lines were not read]\n"


async def look(subject: Subject, tools: CaptureTools, within_s: float) -> Section:
    """As one text, a first line saying so when there is more before it. Raises NotFound when nothing was logged."""
    if subject.container is not None:
        text = await engine_of(tools).logs(subject.container.id, _LINES, subject.log_bytes, within_s)
        is_whole = text.count("\n") < _LINES and len(text) < subject.log_bytes // 2
    else:
        path = tools.logs / f"{subject.name}.log"
        text, is_whole = await in_thread(lambda: tail(path, subject.log_bytes))
    if not text.strip():
        raise NotFound("nothing was logged")
    return Section(text if is_whole else _NOT_READ + text)


def tail(path: Path, most_bytes: int) -> tuple[str, bool]:
    """The newest lines of the file, or of what it was before the guardian cut it; whether that is all. Blocks."""
    newest, is_whole = _tail(path, most_bytes)
    if is_whole and len(newest) < most_bytes // 2:
        before, is_whole = _tail(path.with_name(f"{path.name}.1"), most_bytes - len(newest))
        newest = before + newest
    return newest.decode(errors="replace"), is_whole


def _tail(path: Path, most_bytes: int) -> tuple[bytes, bool]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - most_bytes - 1, 0))
            content = file.read(most_bytes + 1)
    except OSError:
        return b"", True
    return from_line_start(content, most_bytes, is_cut=False), size <= most_bytes
