"""Mends a `.env` file and keeps what compose reads from it, with nothing from the environment: text before, text after.

What has no safe fix stays: the names of keys and their order, secrets, required variables that are not set, and a key
given twice when a value between the two takes it together with something from outside.
"""

from dataclasses import dataclass

from homeostat.configfiles.formats.envscan import Kind
from homeostat.configfiles.lint.envduplicates import without_duplicates
from homeostat.configfiles.lint.envparts import Done, Part, part_of
from homeostat.configfiles.lint.envtext import (
    EnvText,
    Way,
    close_delimiter,
    line_end,
    no_trailing_space,
    with_quotes,
    without_quotes,
)


@dataclass(frozen=True, slots=True)
class Fixed:
    """``done``: one line each, by the line's number in the old text; no values."""

    text: str
    done: list[str]


#: In this order; each with what it is called when it was done.
_TRIMMED: tuple[Way, str] = (no_trailing_space, "space at its end taken away")
_CLOSE: tuple[Way, str] = (close_delimiter, "written as NAME=value, without other spaces")
_WAYS: dict[Kind, tuple[tuple[Way, str], ...]] = {
    Kind.BLANK: (_TRIMMED,),
    Kind.COMMENT: (_TRIMMED,),
    Kind.BARE: (_CLOSE, _TRIMMED),
    Kind.ENTRY: (_CLOSE, _TRIMMED, (with_quotes, "value put into quotes"), (without_quotes, "quotes taken away")),
}


def fix_env(text: str) -> Fixed:
    """Of any text. What is fixed is fixed at once: a second time does nothing."""
    env = EnvText.of(text)
    newline = "\r\n" if env.line_ends == {"\r\n"} else "\n"
    done: Done = []
    if text and not text.endswith("\n"):
        env = EnvText.of(text + newline)
        done.append((env.text.count("\n"), "line end added"))
    parts = [part_of(line.number, env.text[line.start : line.end]) for line in env.lines]
    for step in (_without_malformed, without_duplicates, _tidied, _without_extra_blanks):
        parts = step(parts, done)
    if len(env.line_ends) > 1:
        parts = [_ended(part) for part in parts]
        done.append((1, "this line and all others end with LF now, not some with CR LF"))
    return Fixed("".join(part.text for part in parts), [f"line {number}: {words}" for number, words in sorted(done)])


def _without_malformed(parts: list[Part], done: Done) -> list[Part]:
    kept = []
    for part in parts:
        if part.line.kind is Kind.MALFORMED:
            more = part.text.count("\n") - 1
            until = f" and the {more} after it" if more > 0 else ""
            done.append((part.number, f"removed{until}: {part.line.fault}"))
        else:
            kept.append(part)
    return kept


def _without_extra_blanks(parts: list[Part], done: Done) -> list[Part]:
    kept: list[Part] = []
    for part in parts:
        if kept and kept[-1].line.kind is part.line.kind is Kind.BLANK:
            done.append((part.number, "extra blank line removed"))
        else:
            kept.append(part)
    return kept


def _tidied(parts: list[Part], done: Done) -> list[Part]:
    return [_tidy(part, done) for part in parts]


def _tidy(part: Part, done: Done) -> Part:
    for way, words in _WAYS[part.line.kind]:
        better = way(part.text, part.line)
        if better is not None:
            done.append((part.number, words))
            part = part_of(part.number, better)
    return part


def _ended(part: Part) -> Part:
    return part_of(part.number, part.text.removesuffix(line_end(part.text)) + "\n")
