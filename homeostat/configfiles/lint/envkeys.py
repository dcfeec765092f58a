"""Rules about the keys of a `.env` file."""

import re
from collections.abc import Iterator

from homeostat.configfiles.formats.envscan import Kind
from homeostat.configfiles.formats.envtemplate import NAME_SHOWN, referred
from homeostat.configfiles.lint.base import Spot
from homeostat.configfiles.lint.envtext import EnvText

_PORTABLE = re.compile(r"[A-Za-z0-9_]+")


def malformed_lines(env: EnvText) -> Iterator[Spot]:
    return (Spot(line.place, line.fault, True) for line in env.lines if line.kind is Kind.MALFORMED)


def duplicated_keys(env: EnvText) -> Iterator[Spot]:
    first: dict[str, int] = {}
    for line in env.keys:
        if line.name in first:
            yield Spot(line.place, f"{shown(line.name)} is given before, in line {first[line.name]}; keep one", True)
        first.setdefault(line.name, line.number)


def incorrect_delimiters(env: EnvText) -> Iterator[Spot]:
    """dotenv-linter's: of the words in a name. And compose's ``NAME: value``, which other readers do not know."""
    for line in env.keys:
        if not _PORTABLE.fullmatch(line.name):
            yield Spot(line.place, f"{shown(line.name)}: words are to be delimited by _; a shell takes no other")
        if ":" in env.text[line.name_end : line.value_at]:
            yield Spot(line.place, f"{shown(line.name)} has a colon behind it; write NAME=value", True)


def keys_without_value(env: EnvText) -> Iterator[Spot]:
    for line in env.lines:
        if line.kind is Kind.BARE:
            yield Spot(
                line.place, f"{shown(line.name)} takes its value from the environment; for an empty one write NAME="
            )


def leading_characters(env: EnvText) -> Iterator[Spot]:
    for line in env.keys:
        if env.text[line.start].isspace():
            yield Spot(line.place, f"{shown(line.name)} has space before it; take it away", True)
        if line.name[0].isdigit():
            yield Spot(line.place, f"{shown(line.name)} begins with a digit; allowed in a shell: a letter or _")


def lowercase_keys(env: EnvText) -> Iterator[Spot]:
    for line in env.keys:
        if line.name != line.name.upper():
            yield Spot(line.place, f"{shown(line.name)} has small letters; write it in capitals")


def unordered_keys(env: EnvText) -> Iterator[Spot]:
    """Within groups: a blank line, or a key whose value refers to one of its group, begins another."""
    group: set[str] = set()
    last = ""
    for line in env.lines:
        if line.kind is Kind.BLANK or not group.isdisjoint(referred(line.pieces)):
            group.clear()
            last = ""
        elif line.is_key:
            if line.name < last:
                yield Spot(line.place, f"{shown(line.name)} is to stand before {shown(last)}, in alphabetical order")
            group.add(line.name)
            last = max(last, line.name)


def shown(name: str) -> str:
    return f"{name:.{NAME_SHOWN}}"
