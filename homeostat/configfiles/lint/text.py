"""Rules for managed files of any format, and for YAML: what people leave behind, said for every line that has it."""

import re
from collections.abc import Iterator

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.yaml import Yaml
from homeostat.configfiles.lint.base import Finding, Severity

#: Of git, and of diff3's style. A line of ======= alone is also a heading: it counts between the others only.
_BEGINNING, _MIDDLE, _END = re.compile(r"<{7}(?: |$)"), re.compile(r"\|{7}(?: |$)|={7}$"), re.compile(r">{7}(?: |$)")
_TAB = re.compile(r"[ \t]*?\t")


def lint_text(text: str, format_name: str) -> list[Finding]:
    """``format_name``: of a row of FORMATS, or another for other text. In the order of lines."""
    found = list(_merge_markers(text))
    if format_name == "yaml":
        found += _tabs(text)
    return sorted(found, key=lambda finding: finding.place)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate((line.removesuffix("\r") for line in text.split("\n")), start=1)


def _merge_markers(text: str) -> Iterator[Finding]:
    is_open = False
    for number, line in _lines(text):
        is_beginning, is_end = _BEGINNING.match(line), _END.match(line)
        if is_beginning or is_end or (is_open and _MIDDLE.match(line)):
            words = "a marker of a merge conflict; keep one side and take the markers out"
            yield Finding("merge-marker", Place(number), words, severity=Severity.ERROR)
        is_open = bool(is_beginning) or (is_open and not is_end)


def _tabs(text: str) -> Iterator[Finding]:
    try:
        Yaml().read(text)
    except NotParsed:
        # Only then: within a block of text tabs are the text's own.
        for number, line in _lines(text):
            if (tab := _TAB.match(line)) and line.strip():
                place = Place(number, tab.end())
                yield Finding("tab-indent", place, "indented with a tab; indent with spaces", severity=Severity.ERROR)
