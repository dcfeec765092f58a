"""What a `.env` file must have: types of its keys, which are required, which are secrets.

extra: refuse
keys:
  DB_PORT: {type: port}
  DB_PASSWORD: {secret: true, min_length: 12}
  DEBUG: {type: boolean, required: false}
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from homeostat.configfiles.schema.base import Violation, bounded
from homeostat.configfiles.schema.valuetypes import TYPES, as_number
from homeostat.configfiles.secrets import is_placeholder
from homeostat.explain import At
from homeostat.quantities import Regex, at_least, entries
from homeostat.structure import Checked

TypeName = Literal["string", "integer", "number", "boolean", "url", "port", "duration", "size", "path", "email"]
_OF_NUMBERS = ("integer", "number", "port")
#: A longer value is not given to a pattern: its time may grow with the square of the length.
_LONGEST_MATCHED = 16_384
_MOST_NAMED = 20


def _is_name(name: str) -> None:
    if not name or not name.isprintable() or "=" in name:
        raise At((), "is no name of a variable; allowed: for example DB_PORT")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvKey:
    """One key. Values of `.env` files are text; an empty one is none."""

    type: TypeName = "string"
    #: Unless it says false: a key that somebody wrote down here is one that the application needs, and that it is gone
    #: would be told by nothing else.
    required: bool = True
    #: Which the whole value must match, as Python's `re` has it.
    pattern: Regex | None = None
    #: Of integer, number and port.
    min: float | None = None
    max: float | None = None
    #: Characters.
    min_length: Annotated[int, at_least(1)] | None = None
    max_length: Annotated[int, at_least(1)] | None = None
    enum: Annotated[tuple[str, ...], entries(1)] | None = None
    #: Never shown, and no placeholder (changeme). Left out: told by its name, or by a user or password in a URL.
    secret: bool | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.type not in _OF_NUMBERS and (self.min is not None or self.max is not None):
            raise ValueError(f"allowed: min and max with {', '.join(_OF_NUMBERS)}; for text, min_length and max_length")
        for least, most in (("min", "max"), ("min_length", "max_length")):
            low, high = getattr(self, least), getattr(self, most)
            if low is not None and high is not None and not low <= high:
                raise ValueError(f"allowed: a {most} that is not less than {least}")
        if self.secret and self.enum is not None:
            raise ValueError("allowed: enum without secret; a secret does not stand in a schema")

    def problems(self, value: str) -> Iterator[tuple[str, str]]:
        """Rule and words, of a value that is not empty."""
        kind = TYPES[self.type]
        if not kind.fits(value):
            yield "type", f"must be {kind.allowed}{self._range()}"
        elif not self._is_in_range(value):
            yield "range", f"out of range{self._range()}"
        if self.enum is not None and value not in self.enum:
            more = ", ..." if len(self.enum) > _MOST_NAMED else ""
            yield "enum", f"must be one of {', '.join(map(repr, self.enum[:_MOST_NAMED]))}{more}"
        yield from self._of_length(value)
        yield from self._of_pattern(value)
        if self.secret and is_placeholder(value):
            yield "placeholder", "a placeholder, not a secret; put the secret there"

    def _of_length(self, value: str) -> Iterator[tuple[str, str]]:
        if self.min_length is not None and len(value) < self.min_length:
            yield "min_length", f"too short; must have at least {self.min_length} characters"
        if self.max_length is not None and len(value) > self.max_length:
            yield "max_length", f"too long; must have at most {self.max_length} characters"

    def _of_pattern(self, value: str) -> Iterator[tuple[str, str]]:
        if self.pattern is None:
            return
        if len(value) > _LONGEST_MATCHED:
            yield "pattern", f"longer than {_LONGEST_MATCHED} characters; allowed with a pattern: fewer"
        elif not re.fullmatch(self.pattern, value):
            yield "pattern", f"must match the pattern {self.pattern!r:.60}"

    def _is_in_range(self, value: str) -> bool:
        if self.min is None and self.max is None:
            return True
        number = as_number(value)
        return (
            number is not None and (self.min is None or number >= self.min) and (self.max is None or number <= self.max)
        )

    def _range(self) -> str:
        match self.min, self.max:
            case None, None:
                return ""
            case least, None:
                return f"; allowed: {_written(least)} or more"
            case None, most:
                return f"; allowed: {_written(most)} or less"
            case least, most:
                return f"; allowed: {_written(least)} to {_written(most)}"


def _written(bound: float | None) -> str:
    return str(int(bound)) if bound is not None and bound.is_integer() else str(bound)


Name = Annotated[str, Checked(_is_name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSchema:
    """A Schema, and one that tells secrets (:class:`~homeostat.configfiles.secrets.TellsSecrets`)."""

    keys: Mapping[Name, EnvKey] = field(default_factory=dict)
    #: Keys that are not written down here. Allowed, so that a schema can begin with what matters.
    extra: Literal["allow", "refuse"] = "allow"

    def is_secret(self, name: str) -> bool | None:
        key = self.keys.get(name)
        return None if key is None else key.secret

    def check(self, data: Mapping[str, object]) -> Sequence[Violation]:
        """In the order of the file, then what is missing in the order of the schema."""
        return bounded([*self._of_data(data), *self._missing(data)])

    def _of_data(self, data: Mapping[str, object]) -> Iterator[Violation]:
        for name, value in data.items():
            key = self.keys.get(name)
            if key is None:
                if self.extra == "refuse":
                    words = "unknown key; remove it, or add it to the schema"
                    yield Violation((name,), words, "extra")
            elif value not in (None, ""):
                for rule, words in key.problems(str(value)):
                    yield Violation((name,), words, rule)

    def _missing(self, data: Mapping[str, object]) -> Iterator[Violation]:
        for name, key in self.keys.items():
            if key.required and name not in data:
                yield Violation((name,), f"required, but missing; add it: {TYPES[key.type].allowed}", "required")
            elif key.required and data[name] in (None, ""):
                words = f"required, but empty; give it a value: {TYPES[key.type].allowed}"
                yield Violation((name,), words, "required")
