"""Two contents of a file as a unified diff without secrets: lines are compared as they are, and shown masked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from homeostat.configfiles import text
from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.table import FORMATS
from homeostat.configfiles.secrets import MASK
from homeostat.configfiles.showing.masked import IsSecret, masked_lines, secret_values

#: So that a change is seen where all that changed is masked.
_CHANGED = f"{MASK} (changed)"


@dataclass(frozen=True, slots=True)
class Side:
    """``label``: which content it is, as the head of the diff says. ``raw``: None for no file."""

    label: str
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class _Lines:
    raw: list[str]
    shown: list[str]


def diff(old: Side, new: Side, format_name: str, is_secret: IsSecret | None) -> Iterator[str]:
    """Lines without their ends, and without what would move a terminal's cursor. ``is_secret``: None shows all."""
    yield f"--- {printable(old.label)}"
    yield f"+++ {printable(new.label)}"
    try:
        before, after = _lines([old, new], format_name, is_secret)
    except NotParsed as err:
        yield f"@@ they differ, and one of them cannot be shown: {err.words} @@"
        return
    groups = list(SequenceMatcher(None, before.raw, after.raw).get_grouped_opcodes())
    if not groups:
        yield "@@ they differ only in a byte order mark, or in the last line's end @@"
    for group in groups:
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from (f" {printable(line)}" for line in before.shown[old_start:old_end])
            else:
                yield from _changed(before.shown[old_start:old_end], after.shown[new_start:new_end])


def printable(line: str) -> str:
    """A terminal takes nothing in it for a command. A carriage return is seen, too."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in line)


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    gone = set(old)
    yield from (f"-{printable(line)}" for line in old)
    yield from (f"+{printable(line.replace(MASK, _CHANGED) if line in gone else line)}" for line in new)


def _range(start: int, end: int) -> str:
    """As `diff -u` has it."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"


def _lines(sides: Sequence[Side], format_name: str, is_secret: IsSecret | None) -> list[_Lines]:
    """Raises NotParsed for what is no text."""
    contents = [text.decode(side.raw or b"").content for side in sides]
    if is_secret is None:
        return [_Lines(lines, lines) for lines in map(_split, contents)]
    known = {value for content in contents for value in _known(content, format_name, is_secret)}
    return [
        _Lines(_split(content), _split("\n".join(masked_lines(format_name, content, is_secret, known))))
        for content in contents
    ]


def _split(content: str) -> list[str]:
    """The end of the last line begins no line."""
    return content.removesuffix("\n").split("\n") if content else []


def _known(content: str, format_name: str, is_secret: IsSecret) -> Iterator[str]:
    if format_name not in FORMATS:
        return
    try:
        data = FORMATS[format_name].read(content).data
    except NotParsed:
        return
    yield from secret_values(data, is_secret)
