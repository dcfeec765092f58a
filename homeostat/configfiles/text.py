"""Bytes of a configuration file <-> text, kept exact: newlines stay as they are in the text, a BOM is remembered."""

import re
from dataclasses import dataclass

from homeostat.configfiles.errors import NotParsed, Place

#: Larger than any configuration a person wrote; bounds what may be parsed.
MAX_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
#: UTF-32 begins as UTF-16 does.
_WIDE = {b"\xff\xfe\x00\x00": "UTF-32", b"\x00\x00\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Text:
    """``content``: without the BOM, with the file's own line ends."""

    content: str
    has_bom: bool = False

    def encode(self) -> bytes:
        return (_BOM if self.has_bom else b"") + self.content.encode()


def decode(raw: bytes) -> Text:
    """Raises NotParsed for what no configuration file is: too large, other encodings, NUL bytes."""
    if len(raw) > MAX_BYTES:
        raise NotParsed(f"larger than {MAX_BYTES} bytes; allowed: a configuration file")
    for mark, name in _WIDE.items():
        if raw.startswith(mark):
            raise NotParsed(f"is {name}; save the file as UTF-8", Place(1))
    body = raw.removeprefix(_BOM)
    if (nul := body.find(0)) >= 0:
        raise NotParsed("a NUL byte, as after a power loss; restore the last good version", _place_of(body, nul))
    try:
        return Text(body.decode(), has_bom=body is not raw and len(body) != len(raw))
    except UnicodeDecodeError as err:
        raise NotParsed("not UTF-8; save the file as UTF-8", _place_of(body, err.start)) from None


def _place_of(raw: bytes, at: int) -> Place:
    before = raw[:at]
    start = before.rfind(b"\n") + 1
    return Place(before.count(b"\n") + 1, len(before[start:].decode(errors="replace")) + 1)


def place_at(text: str, index: int) -> Place:
    """Of a character in ``text``. A lone CR, as Macs once had it, ends no line."""
    start = text.rfind("\n", 0, index) + 1
    return Place(text.count("\n", 0, index) + 1, index - start + 1)


def newline_of(text: str) -> str:
    """What most lines of ``text`` end with: a line that is added ends the same way."""
    ends = _LINE_END.findall(text)
    return max(("\n", "\r\n"), key=ends.count)
