"""How values of `.env` files are written, quotes and escapes, both ways: as compose-go's dotenv/parser.go, v2.0.2."""

import re

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.envtemplate import Pieces, parse_template

SINGLE = "'"
DOUBLE = '"'

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SEQUENCE = re.compile(r'\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})')
_MEANINGS = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "$": "$$",
}
_OCTAL = re.compile(r"[0-3][0-7]{2}")
_DOUBLE_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "\r": "\\r", "\n": "\\n"})
_LINES_ESCAPES = {code: text for code, text in _DOUBLE_ESCAPES.items() if code != ord("\n")}
_SINGLE_ESCAPED = r"\'"
#: Readers differ in what these are between single quotes.
_NOT_LITERAL = frozenset("'\\\r\n")
#: What any reader of `.env` files, and a shell, takes as it stands.
_PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+=-]*")


def pieces_of(raw: str, quote: str) -> Pieces:
    """Of a value between its quotes, or without any. Raises NotParsed, without a place."""
    if quote == SINGLE:
        pieces: Pieces = (text,) if (text := _unquoted(raw, quote)) else ()
    else:
        pieces = parse_template(_SEQUENCE.sub(_meaning, _unquoted(raw, quote)) if quote else raw)
    if any(isinstance(piece, str) and "\0" in piece for piece in pieces):
        raise NotParsed("a NUL character in a value; no environment can hold it, take it away")
    return pieces


def _unquoted(raw: str, quote: str) -> str:
    """Within quotes a backslash takes its meaning from the quote only; all others stay."""
    return _ESCAPED.sub(lambda found: quote if found[1] == quote else found[0], raw)


def _meaning(found: re.Match[str]) -> str:
    sequence = found[0][1:]
    if not sequence.startswith("0"):
        return _MEANINGS.get(sequence, found[0])  # \c is a sequence without a meaning
    digits = sequence[1:]
    # Not of three octal digits: compose loses the 0, and so do we.
    return chr(int(digits, 8)) if _OCTAL.fullmatch(digits) else f"\\{digits}"


def writings(value: str, quote: str | None, *, has_lines: bool) -> tuple[str, ...]:
    """``value`` as it may be written, the best first: with ``quote`` as now (None: not there yet), then as any reader
    understands it. ``has_lines``: the value goes over several lines now, and may go on so.

    Not all of these hold every value: read back what was written.
    """
    double = f'"{value.translate(_DOUBLE_ESCAPES)}"'
    now: list[str] = []
    if quote == SINGLE and (has_lines or "\n" not in value):
        now = [f"'{value.replace(SINGLE, _SINGLE_ESCAPED)}'"]
    elif quote == DOUBLE:
        now = [f'"{value.translate(_LINES_ESCAPES)}"' if has_lines else double]
    elif quote == "" and "$" not in value and value.isprintable():
        # A dollar sign could be written twice, which no other reader understands; and nobody sees a tab or a CR.
        now = [value]
    plain = [value] if _PLAIN.fullmatch(value) else []
    literal = [f"'{value}'"] if not _NOT_LITERAL & set(value) else []
    return (*now, *plain, *literal, double)
