"""Values as YAML that every reader takes for the same: quoted where YAML 1.1 or 1.2 would see something else."""

import json
import math
import re
from datetime import date, datetime

from homeostat.configfiles.errors import CannotEdit
from homeostat.configfiles.formats.spans import Style

#: A plain text within any context, flow style too: nothing that begins or ends anything.
_PLAIN = re.compile(r"[A-Za-z_/.][A-Za-z0-9_/.+@$^~-]*(?:[ :=][A-Za-z0-9_/.+@$^~(-][A-Za-z0-9_/.+@$^~()-]*)*")
#: Begins as a number, a date or a time by some reader: 1_000, 0o7, 1:30, 1e3, .5, .inf.
_NUMBERS = re.compile(r"[-+.]*[0-9].*|[-+]?\.(?:inf|nan)", re.IGNORECASE)
_WORDS = frozenset({"", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "=", "<<"})
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
#: What YAML can hold as it is; line ends of other times (NEL, LS, PS) and the BOM are escaped.
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def scalar(value: object, style: Style) -> str:
    """On one line; a text in the style it had, where that can hold it. Raises CannotEdit."""
    match value:
        case str():
            return _text(value, style)
        case None | bool():
            return json.dumps(value)
        case int() if abs(value) < 10**1000:
            return str(value)
        case float():
            return _number(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date():
            return value.isoformat()
        case _:
            raise CannotEdit("YAML has no such value; allowed: text, numbers, booleans, null, dates, lists, mappings")


def flow(value: object) -> str:
    """Lists and mappings on one line. Raises CannotEdit."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key(name)}: {flow(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return scalar(value, "plain")


def key(name: str) -> str:
    # Longer ones are no keys without a ? before them.
    if len(name) > _LONGEST_KEY:
        raise CannotEdit(f"a key longer than {_LONGEST_KEY} characters")
    # A reader that takes 8080 for a number finds the same key in either spelling, so only words matter.
    return name if name.isdecimal() and name.isascii() and not name.startswith("0") else _text(name, "plain")


_LONGEST_KEY = 500


def literal(value: str, indent: str, newline: str) -> str | None:
    """A text of several lines as a block, below a key at ``indent``; None when a block cannot hold it."""
    lines = value.removesuffix("\n").split("\n")
    if len(lines) < 2 or value.endswith("\n\n") or lines[0][:1] in {"", " "}:  # noqa: PLR2004 - one is no block
        return None
    if not all(map(_is_printable, lines)) or any(line and not line.strip() for line in lines):
        return None
    header = "|" if value.endswith("\n") else "|-"
    return newline.join([header, *(f"{indent}  {line}" if line else "" for line in lines)])


def _is_printable(text: str) -> bool:
    return all(map(_PRINTABLE.fullmatch, text))


def _text(value: str, style: Style) -> str:
    if style == "plain" and is_plain(value):
        return value
    if style == "single" and _is_printable(value):
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in value) + '"'


def is_plain(value: str) -> bool:
    """Whether it reads as this text without quotes."""
    if value.lower() in _WORDS or _NUMBERS.fullmatch(value):
        return False
    return _PLAIN.fullmatch(value) is not None


def _escaped(char: str) -> str:
    if _PRINTABLE.match(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - of YAML's escapes


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    # YAML 1.1 knows powers only behind a point and with a sign.
    digits, e, power = repr(value).partition("e")
    return repr(value) if not e else f"{digits if '.' in digits else digits + '.0'}e{int(power):+d}"
