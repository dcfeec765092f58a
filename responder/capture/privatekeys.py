"""Takes private keys out of text: the blocks of RFC 7468, also such whose beginning or end is not there. Pure."""

import re

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
#: A line of a block, after the time that an engine puts before it.
_BODY = re.compile(r"(?:\S{20,40}Z )?(?:\s*|\s*[A-Za-z0-9+/=]{1,80}\s*|(?:Proc-Type|DEK-Info|Comment|Version): .*)")
#: Lines of the longest keys there are (RSA, 16,384 bits): a begin and an end farther apart are of different ones.
_LONGEST = 220


def without_keys(text: str, mark: str) -> str:
    """``text`` with ``mark`` in the place of each key."""
    if "PRIVATE KEY" not in text:
        return text
    lines = [_within_line(line, mark) for line in text.split("\n")]
    return "\n".join(_kept(lines, mark))


def _within_line(line: str, mark: str) -> str:
    """Keys that are in one line, their line ends spelt ``\\n``."""
    parts: list[str] = []
    at = 0
    while (begin := _BEGIN.search(line, at)) and (end := _END.search(line, begin.end())):
        parts += [line[at : begin.start()], mark]
        at = end.end()
    return "".join([*parts, line[at:]])


def _kept(lines: list[str], mark: str) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if begin := _BEGIN.search(line):
            kept.append(line[: begin.start()] + mark)
            at = _after_key(lines, at)
        elif end := _END.search(line):  # of a key that began before the text
            while kept and _BODY.fullmatch(kept[-1]):
                kept.pop()
            kept.append(mark + line[end.end() :])
        else:
            kept.append(line)
    return kept


def _after_key(lines: list[str], first: int) -> int:
    """The number of the line after a key whose beginning is before ``first``."""
    for number in range(first, min(first + _LONGEST, len(lines))):
        if _BEGIN.search(lines[number]):
            break
        if _END.search(lines[number]):
            return number + 1
    while first < len(lines) and _BODY.fullmatch(lines[first]):
        first += 1
    return first
