"""INI: sections of keys, every value a text."""

from homeostat.configfiles.errors import CannotEdit, Place
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.edits import (
    check_value,
    has,
    has_value,
    must_have,
    naming,
    verified,
    with_change,
    without,
)
from homeostat.configfiles.formats.iniscan import Option, Section, scan
from homeostat.configfiles.formats.spans import indent_of, line_end, line_start, next_line
from homeostat.configfiles.text import newline_of
from homeostat.explain import KeyPath

#: What a value's further lines are indented by.
_MORE = "    "
_BY_KEYS = "a section; set its keys one by one"


class Ini:
    """As configparser reads it, without interpolation; keys keep their case, but not two that differ only in it.
    ``[DEFAULT]`` is a section as any other: what programs take from it is theirs to know. A section is added as
    a whole, or set key by key.
    """

    def read(self, text: str) -> Parsed:
        sections = scan(text)
        return Parsed(_data(sections), dict(_places(sections)))

    def set(self, text: str, path: KeyPath, value: object) -> str:
        sections = scan(text)
        data = _data(sections)
        has(data, path)
        with naming(path):
            check_value(value)
            plain = _plain(value) if path[1:] else _section(value)
            if has_value(data, path, plain):
                return text
            after = _with(text, sections, path, plain)
        return verified(self.read, after, with_change(data, path, plain), path)

    def unset(self, text: str, path: KeyPath) -> str:
        sections = scan(text)
        data = _data(sections)
        must_have(data, path)
        section = sections[str(path[0])]
        if len(path) == 1:
            start, end = section.start, max((option.end for option in section.options.values()), default=section.end)
        else:
            option = section.options[str(path[1])]
            start, end = option.start, option.end
        after = text[: line_start(text, start)] + text[next_line(text, end) :]
        return verified(self.read, after, without(data, path), path)


def _data(sections: dict[str, Section]) -> dict[str, object]:
    return {name: {key: option.value for key, option in section.options.items()} for name, section in sections.items()}


def _places(sections: dict[str, Section]) -> list[tuple[KeyPath, Place]]:
    return [
        pair
        for name, section in sections.items()
        for pair in [((name,), section.place), *(((name, key), one.place) for key, one in section.options.items())]
    ]


def _plain(value: object) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    raise CannotEdit("INI has no such value; allowed: text and numbers")


def _section(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise CannotEdit(_BY_KEYS)
    return {key: _plain(inner) for key, inner in value.items()}


def _with(text: str, sections: dict[str, Section], path: KeyPath, plain: str | dict[str, str]) -> str:
    if isinstance(plain, dict):
        if path[0] in sections:
            raise CannotEdit(_BY_KEYS)
        return _with_section(text, str(path[0]), plain)
    section, key = sections[str(path[0])], str(path[1])
    option = section.options.get(key)
    return _replaced(text, option, plain) if option else _added(text, section, key, plain)


def _replaced(text: str, option: Option, value: str) -> str:
    indent = option.more_indent or indent_of(text, option.start) + _MORE
    first, *more = _written(value, indent)
    is_bare = text[option.value_start - 2 : option.value_start] in {" =", " :"}
    newline = newline_of(text)
    blank = " " if first and is_bare else ""
    return text[: option.value_start] + blank + newline.join([first, *more]) + text[option.end :]


def _written(value: str, indent: str) -> list[str]:
    first, *more = value.split("\n")
    return [first, *(indent + line if line else "" for line in more)]


def _pair(key: str, between: str, value: str, indent: str) -> list[str]:
    first, *more = _written(value, indent + _MORE)
    return [f"{indent}{key}{between}{first}".rstrip(" "), *more]


def _added(text: str, section: Section, key: str, value: str) -> str:
    last = list(section.options.values())[-1] if section.options else None
    between = text[last.name_end : last.value_start] if last else " = "
    if between in {" =", " :"}:  # behind it there is nothing
        between += " "
    start, end = (last.start, last.end) if last else (section.start, section.end)
    newline = newline_of(text)
    end = line_end(text, end)
    return text[:end] + newline + newline.join(_pair(key, between, value, indent_of(text, start))) + text[end:]


def _with_section(text: str, name: str, options: dict[str, str]) -> str:
    newline = newline_of(text)
    lead = newline if text and not text.endswith("\n") else ""
    lines = ["", f"[{name}]"] if text else [f"[{name}]"]
    for key, value in options.items():
        lines += _pair(key, " = ", value, "")
    return text + lead + newline.join(lines) + newline
