"""Rules about how values of a `.env` file are written."""

from collections.abc import Iterator
from itertools import pairwise

from homeostat.configfiles.formats.envtemplate import Reference
from homeostat.configfiles.lint.base import Spot
from homeostat.configfiles.lint.envkeys import shown
from homeostat.configfiles.lint.envtext import EnvText, with_quotes, without_quotes


def needless_quotes(env: EnvText) -> Iterator[Spot]:
    """Only where the value without them is the same, to a shell, too; dotenv-linter takes away more."""
    for line in env.entries:
        if env.better(line, without_quotes):
            yield Spot(line.place, f"{shown(line.name)}: the value needs no quotes", True)


def missing_quotes(env: EnvText) -> Iterator[Spot]:
    for line in env.entries:
        if env.better(line, with_quotes):
            yield Spot(line.place, f"{shown(line.name)}: a value with spaces is to stand within quotes", True)


def half_references(env: EnvText) -> Iterator[Spot]:
    """``$A}``. What compose refuses (``${A``) is a malformed line; ``${A:-x}`` is good, other than to dotenv-linter."""
    for line in env.entries:
        for reference, text in pairwise(line.pieces):
            if isinstance(reference, Reference) and isinstance(text, str) and text.startswith("}"):
                yield Spot(line.place, f"{shown(line.name)}: a closing brace too many; write ${{NAME}} or $NAME")
                break


def comments_as_values(env: EnvText) -> Iterator[Spot]:
    """Compose takes the space before ``#`` for the space after the equal sign."""
    for line in env.entries:
        if env.value(line).startswith("#"):
            words = (
                "no comment, but the value: compose reads it so; write the comment above, or quotes around the value"
            )
            yield Spot(line.place, f"{shown(line.name)}: what begins with # here is {words}")
