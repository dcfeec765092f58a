"""A JSON list of objects, taken apart as it arrives: nobody has to hold all of it."""

import codecs
import json
from typing import Any

_BETWEEN = " \t\r\n,"


class JsonRows:
    """Fed with chunks of any size. Raises ValueError for what is no list of objects in UTF-8."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._parse = json.JSONDecoder().raw_decode
        self._rest = ""
        self._is_open = self._is_closed = False

    def feed(self, chunk: bytes) -> list[Any]:
        """The rows that are whole by now."""
        text = self._rest + self._decode(chunk)
        at = 0 if self._is_open else self._opened(text)
        found: list[Any] = []
        while self._is_open and not self._is_closed:
            while text[at : at + 1] and text[at] in _BETWEEN:
                at += 1
            if text[at : at + 1] == "]":
                self._is_closed, at = True, at + 1
            elif not text[at : at + 1] or text[at] != "{":
                break  # more is to come, or close() says what is wrong
            else:
                try:
                    row, at = self._parse(text, at)
                except ValueError:
                    break  # not whole yet; close() says so when it never is
                found.append(row)
        self._rest = text[at:]
        return found

    def close(self) -> None:
        """All has been fed."""
        if not self._is_closed or self._rest.strip():
            raise ValueError(f"a list of objects that ends well was expected, not {self._rest[:40]!r}")

    def _opened(self, text: str) -> int:
        """Where its rows begin, once that has arrived."""
        start = len(text) - len(text.lstrip())
        if start < len(text):
            if text[start] != "[":
                raise ValueError(f"a list was expected, not {text[start : start + 20]!r}")
            self._is_open = True
            return start + 1
        return 0
