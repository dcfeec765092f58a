"""What compose puts in for ``$A``, ``${A}``, ``${A:-default}`` ...: compose-go's template.go, v2.0.2, in linear time.

Stricter than compose on purpose, as files come from anybody: nested at most MAX_NESTED deep, and references make at
most MAX_EXPANDED characters in a file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from homeostat.configfiles.errors import NotParsed

#: People nest two deep. Each level is one more pass over the value.
MAX_NESTED = 10
#: Keys that each name the one before twice would otherwise fill any memory.
MAX_EXPANDED = 1 << 20
#: Longest name a message repeats.
NAME_SHOWN = 60

#: Go folds case as Unicode does: a long s and the Kelvin sign are letters of names there.
_LETTER = "_a-zA-Z\u017f\u212a"
_NAME = f"[{_LETTER}][{_LETTER}0-9]*"
_TOKEN = re.compile(rf"\$(?:(?P<escaped>\$)|(?P<named>{_NAME})|(?P<open>\{{))")
_OPENED = re.compile(rf"(?P<name>{_NAME})(?:(?P<operator>:?[-+?])|\}})")
#: getFirstBraceClosingIndex skips what follows an opening brace.
_BRACE = re.compile(r"\{.?|\}", re.DOTALL)

_INVALID = "a reference that is not valid; allowed: $NAME, ${NAME} or ${NAME:-default}, and $$ for a dollar sign"


@dataclass(frozen=True, slots=True)
class Reference:
    """``${name operator argument}``; the operator is empty, or one of - + ? with or without a colon before it."""

    name: str
    operator: str = ""
    argument: "Pieces" = ()


#: A value: literal text and what has to be looked up.
Pieces = tuple[str | Reference, ...]


@dataclass(slots=True)
class Scope:
    """What names stand for. As in compose the environment goes before the file's own keys."""

    environ: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    room: int = MAX_EXPANDED

    def get(self, name: str) -> str | None:
        return self.environ.get(name, self.values.get(name))

    def charge(self, characters: int) -> None:
        self.room -= characters
        if self.room < 0:
            raise NotParsed(f"references make more than {MAX_EXPANDED} characters in this file; write fewer")


def parse_template(text: str, depth: int = 0) -> Pieces:
    """Raises NotParsed, without a place, for what compose calls an invalid template."""
    if depth > MAX_NESTED:
        raise NotParsed(f"references within references, more than {MAX_NESTED} deep; write fewer")
    pieces: list[str | Reference] = []
    at = 0
    while found := _TOKEN.search(text, at):
        pieces.append(text[at : found.start()])
        piece, at = _piece(text, found, depth)
        pieces.append(piece)
    pieces.append(text[at:])
    return tuple(_merged(pieces))


def _piece(text: str, found: re.Match[str], depth: int) -> tuple[str | Reference, int]:
    """And where the rest begins."""
    if found["escaped"]:
        return "$", found.end()
    if found["named"]:
        return Reference(found["named"]), found.end()
    opened = _OPENED.match(text, found.end())
    if opened is None:
        raise NotParsed(_INVALID)
    if not opened["operator"]:
        return Reference(opened["name"]), opened.end()
    close = _closing(text, found.end() - 1)
    argument = parse_template(text[opened.end() : close], depth + 1)
    return Reference(opened["name"], opened["operator"], argument), close + 1


def _closing(text: str, brace: int) -> int:
    """Of the reference that opens at ``brace``: the brace that balances it, or else the line's last one."""
    newline = text.find("\n", brace)
    stop = len(text) if newline < 0 else newline
    level = 0
    for found in _BRACE.finditer(text, brace, stop):
        level += 1 if found[0] != "}" else -1
        if level == 0:
            return found.start()
    last = text.rfind("}", brace, stop)
    if last < 0:
        raise NotParsed(_INVALID)
    return last


def _merged(pieces: list[str | Reference]) -> Iterator[str | Reference]:
    """Neighbouring literals as one, none that is empty: equal values have equal pieces."""
    literal: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            literal.append(piece)
            continue
        if joined := "".join(literal):
            yield joined
        literal.clear()
        yield piece
    if joined := "".join(literal):
        yield joined


def expand(pieces: Pieces, scope: Scope) -> str:
    """Raises NotParsed, without a place, for a ``${A:?}`` whose A is not set, and for too much text."""
    return "".join(piece if isinstance(piece, str) else _resolved(piece, scope) for piece in pieces)


def _resolved(reference: Reference, scope: Scope) -> str:
    # First, whether it is used or not: so does compose.
    argument = expand(reference.argument, scope)
    value = scope.get(reference.name)
    # Of an empty one, the colon says that it counts as not set.
    is_set = value is not None and (value != "" or not reference.operator.startswith(":"))
    match reference.operator[-1:]:
        case "-":
            result = value if is_set else argument
        case "+":
            result = argument if is_set else ""
        case "?" if not is_set:
            raise NotParsed(f"{reference.name:.{NAME_SHOWN}} is required here; set it before this line")
        case _:
            result = value
    scope.charge(len(result or ""))
    return result or ""


def referred(pieces: Pieces) -> Iterator[str]:
    """The names in a value, those in defaults, too."""
    for piece in pieces:
        if isinstance(piece, Reference):
            yield piece.name
            yield from referred(piece.argument)
