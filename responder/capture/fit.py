"""Makes JSON values small enough, saying so. Pure. Sizes are bytes of JSON as json.dumps writes it."""

import json
from collections.abc import Mapping

#: Characters of a text and items of a list, ever fewer until the whole fits.
_STEPS = ((2000, 20), (1000, 10), (400, 6), (150, 3), (60, 2), (20, 1))
_LONGEST_LINE = 1500
_END = "..."


def size(value: object) -> int:
    """Bytes of ``value`` as JSON."""
    return len(json.dumps(value))


def fit(value: object, most_bytes: int) -> object:
    """``value`` with its texts and lists cut as little as needed: the beginning stays."""
    if size(value) <= most_bytes:
        return value
    for characters, items in _STEPS:
        cut = _cut(value, characters, items)
        if size(cut) <= most_bytes:
            return cut
    return {"not_there": f"no room: {size(value)} bytes"}


def newest(text: str, most_bytes: int) -> str:
    """The last lines of ``text`` that fit, after a first line that says what is cut."""
    lines = [_cut_text(line, _LONGEST_LINE) for line in text.rstrip("\n").split("\n")]
    whole = "\n".join(lines)
    if size(whole) <= most_bytes:
        return whole
    kept = len(lines)
    room = most_bytes - size(_notice(kept, 10 * len(text)))
    while kept and (room := room - size(lines[kept - 1])) >= 0:  # its quotes here are its \n there
        kept -= 1
    cut = sum(len(line) + 1 for line in lines[:kept])
    return "\n".join([_notice(kept, cut), *lines[kept:]])


def _notice(lines: int, characters: int) -> str:
    return f"[cut: {lines} of the lines that were read, {characters} characters]"


def _cut(value: object, characters: int, items: int) -> object:
    match value:
        case str():
            return _cut_text(value, characters)
        case Mapping():
            return {key: _cut(each, characters, items) for key, each in value.items()}
        case list():
            return [_cut(each, characters, items) for each in value[:items]]
        case _:
            return value


def _cut_text(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters] + _END
