"""Takes secrets out of text before it is written down or shown. Pure; the shapes are in secretshapes.py.

It errs on the side of taking out too much of a line that names a secret, and nothing of one that does not.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from responder.capture.privatekeys import without_keys
from responder.capture.secretshapes import SHAPES, Match, Shape

MARK = "[redacted]"
#: A shorter secret is not taken out wherever it stands: it would take half of the words with it.
_SHORTEST = 4
#: Of the lines that can tell a secret and what it is: ``pw=x``.
_SHORTEST_LINE = 4
#: Of one shape in a line; then it is nothing that anybody has to read, and looking again takes time.
_MOST_SPARED = 32
#: Of a variable's value, and of one that may be a word of the language: POSTGRES_PASSWORD=postgres.
_SHORTEST_VALUE = 8
_SHORTEST_WORD = 16

#: Terminal sequences: colours between a key and its value would hide both; others could speak to a reader's terminal.
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]{0,32}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,512}(?:\x07|\x1b\\)?|[ -/]{0,4}[0-~])")
#: Control characters but tab and line feed, and those that turn the direction of text.
_CONTROLS = dict.fromkeys(
    [*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], None
)
_VARIABLE = re.compile(r"(?i)pass|pwd|secret|token|credential|auth|(?:^|_)key(?:_|$)|api_?key|private")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """``text`` without what looks like a secret and without ``secrets``, in whatever spelling they are there."""
    text = _TERMINAL.sub("", text).translate(_CONTROLS)
    for spelling in _spellings(secrets):
        text = text.replace(spelling, MARK)
    return "\n".join(_redact_line(line) for line in without_keys(text, MARK).split("\n"))


def redact_all(value: object, secrets: Iterable[str] = ()) -> object:
    """Every text in a JSON value, redacted. Its keys are ours."""
    match value:
        case str():
            return redact(value, secrets)
        case Mapping():
            return {key: redact_all(each, secrets) for key, each in value.items()}
        case list() | tuple():
            return [redact_all(each, secrets) for each in value]
        case _:
            return value


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Values of variables that are secrets by their names or shapes, as far as they can be told from ordinary words."""
    found: set[str] = set()
    for name, value in environment.items():
        if _VARIABLE.search(name):
            found.add(value)
        found.update(
            match["secret"] for shape in SHAPES if shape.name == "url_password" for match in _found(shape, value)
        )
    return tuple(sorted(value for value in found if _is_telling(value)))


def _is_telling(value: str) -> bool:
    if value.startswith("/") or "://" in value:  # where it is, not what it is
        return False
    is_word = value.isalpha() or value.isdecimal()
    return len(value) >= (_SHORTEST_WORD if is_word else _SHORTEST_VALUE)


def _spellings(secrets: Iterable[str]) -> list[str]:
    """The longest first: one may be a part of another."""
    found: set[str] = set()
    for secret in secrets:
        if len(secret.strip()) >= _SHORTEST:
            found |= {secret.strip(), quote(secret.strip(), safe=""), json.dumps(secret.strip())[1:-1]}
    return sorted(found, key=len, reverse=True)


def _redact_line(line: str) -> str:
    if len(line) < _SHORTEST_LINE:
        return line
    lowered = line.lower()
    for shape in SHAPES:
        if any(hint in lowered for hint in shape.hints):
            line = _without(shape, line)
    return line


def _without(shape: Shape, line: str) -> str:
    parts: list[str] = []
    kept_from = 0
    for match in _found(shape, line):
        parts += [line[kept_from : match.start("secret")], MARK]
        kept_from = match.end("secret")
    return "".join([*parts, line[kept_from:]]) if parts else line


def _found(shape: Shape, line: str) -> Iterator[Match]:
    at = spared = 0
    while match := shape.pattern.search(line, at):
        if spared < _MOST_SPARED and shape.spares(match):
            spared += 1
            at = match.start("secret")  # another may be in it
        else:
            yield match
            at = match.end()
