"""Rules about what stands around keys and values of a `.env` file: spaces, lines, bytes."""

from collections.abc import Iterator

from homeostat.configfiles.errors import Place
from homeostat.configfiles.formats.envscan import Kind
from homeostat.configfiles.lint.base import Spot
from homeostat.configfiles.lint.envkeys import shown
from homeostat.configfiles.lint.envtext import EnvText, line_end
from homeostat.configfiles.text import place_at


def no_line_end(env: EnvText) -> Iterator[Spot]:
    if env.text and not env.text.endswith("\n"):
        yield Spot(place_at(env.text, len(env.text)), "the last line has no line end; end it", True)


def extra_blank_lines(env: EnvText) -> Iterator[Spot]:
    for before, line in zip(env.lines, env.lines[1:], strict=False):
        if before.kind is line.kind is Kind.BLANK:
            yield Spot(line.place, "a blank line after a blank line; one is enough", True)


def spaces_around(env: EnvText) -> Iterator[Spot]:
    for line in env.entries:
        between = env.text[line.name_end : line.value_at]
        if "=" in between and between != "=":
            yield Spot(line.place, f"{shown(line.name)} has spaces around its equal sign; a shell takes none", True)


def trailing_spaces(env: EnvText) -> Iterator[Spot]:
    for line in env.lines:
        text = env.text[line.start : line.end]
        body = text.removesuffix(line_end(text))
        if body.endswith((" ", "\t")):
            number = line.number + body.count("\n")
            column = len(body) - (body.rfind("\n") + 1)
            yield Spot(Place(number, column), "space at the end of the line; take it away", True)


def tabs(env: EnvText) -> Iterator[Spot]:
    for line in env.entries:
        if "\t" in env.text[line.start : line.value_at].lstrip():
            yield Spot(line.place, f"{shown(line.name)}: a tab before the value; write NAME=value", True)
        if not line.quote and "\t" in env.value(line):
            yield Spot(line.place, f"{shown(line.name)}: a tab within the value; a comment needs a space before its #")


def mixed_line_ends(env: EnvText) -> Iterator[Spot]:
    if len(env.line_ends) > 1:
        yield Spot(Place(1), "some lines end with CR LF, others with LF; use one of them", True)


def crlf(env: EnvText) -> Iterator[Spot]:
    if env.line_ends == {"\r\n"}:
        yield Spot(
            Place(1), "lines end with CR LF; a shell takes the CR for a part of the value, save the file with LF"
        )


def bom(env: EnvText) -> Iterator[Spot]:
    if env.has_bom:
        yield Spot(
            Place(1), "begins with a BOM; other readers take it for a part of the first key, save the file without"
        )


def nul(env: EnvText) -> Iterator[Spot]:
    if (at := env.text.find("\0")) >= 0:
        yield Spot(place_at(env.text, at), "a NUL character, as after a power loss; restore the last good version")
