"""What is wrong with data, in words for those who wrote it: where, which value, what is allowed."""

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from cattrs import ClassValidationError, ForbiddenExtraKeysError
from cattrs.errors import AttributeValidationNote, IterableValidationNote

KeyPath = tuple[str | int, ...]

#: Longest value an error message repeats: enough to recognise, too little to leak a certificate.
_SHOWN = 60


class At(ValueError):
    """A complaint about a key below the one that is looked at; the message names the value itself."""

    def __init__(self, path: KeyPath, message: str) -> None:
        self.path = path
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` as it stands in the data. ``value``: as a message begins with it, if it helps; ``words``: what is
    allowed.
    """

    path: KeyPath
    words: str
    value: str = ""

    @property
    def text(self) -> str:
        return self.value + self.words


class Invalid(ValueError):
    """Data that is not what it has to be."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{dotted(problem.path)}: {problem.words}" for problem in problems))


def dotted(path: KeyPath) -> str:
    """``responder.caps.0.count``, on one line whatever the keys are."""
    return ".".join(f"{part!s:.{_SHOWN}}" if str(part).isprintable() else f"{part!r:.{_SHOWN}}" for part in path)


def shown(value: object) -> str:
    """A value as a message begins with it."""
    match value:
        case None:
            return "empty: "
        case bool():
            return f"{str(value).lower()} (YAML reads yes, no, on and off so): "
        case str():
            return f"{value!r:.{_SHOWN}}: "
        case dict():
            return ""
        case _:
            return f"{_written(value):.{_SHOWN}}: "


def _written(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # Python does not write out numbers of thousands of digits
        return "a number too long to repeat"


def key_of(field: Field[Any]) -> str:
    """The key of a dataclass's field: its name, but for names that Python keeps to itself."""
    return str(field.metadata.get("key", field.name))


def explain(error: Exception, data: object, path: KeyPath = ()) -> Iterator[Problem]:
    """The problems in an error that structuring ``data`` raised. An error that is none of ``data`` is raised again."""
    match error:
        case ForbiddenExtraKeysError() if isinstance(data, dict):
            yield from _unknown(error, data, path)
        case ExceptionGroup():
            for inner in error.exceptions:
                yield from _inner(inner, error, data, path)
        case At():
            yield Problem((*path, *error.path), str(error))
        case ValueError():
            yield Problem(path, str(error), shown(data))
        case _:
            raise error


def _inner(error: Exception, group: Exception, data: object, path: KeyPath) -> Iterator[Problem]:
    part = _part(error, group)
    if part is None:
        yield from explain(error, data, path)
    elif isinstance(data, dict) and part not in data:
        yield Problem((*path, str(part)), "required, but missing")
    elif isinstance(data, dict):
        yield from explain(error, data[part], (*path, str(part)))
    elif isinstance(data, list | tuple) and isinstance(part, int):
        yield from explain(error, data[part], (*path, part))
    else:
        raise error


def _part(error: Exception, group: Exception) -> object:
    """The key or index that cattrs noted on the error; None for one of the whole group."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote) and isinstance(group, ClassValidationError):
            return next(key_of(field) for field in fields(group.cl) if field.name == note.name)
        if isinstance(note, IterableValidationNote):
            return note.index
    return None


def _unknown(error: ForbiddenExtraKeysError, data: Mapping[object, object], path: KeyPath) -> Iterator[Problem]:
    allowed = ", ".join(key_of(field) for field in fields(error.cl))
    for key in data:
        if key not in error.extra_fields:
            continue
        if isinstance(key, str):
            yield Problem((*path, key), f"unknown key; allowed: {allowed}")
        else:
            yield Problem((*path, str(key)), "a key must be text: quote it", shown(key))
