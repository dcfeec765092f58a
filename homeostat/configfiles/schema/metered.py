"""jsonschema's keywords, each counted, and those replaced that could take too long or would name nothing."""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homeostat.configfiles.schema.keywords import LONGEST_MATCHED, NEVER, additional
from homeostat.configfiles.schema.valuetypes import FORMATS

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

#: jsonschema's own form: (validator, value of the keyword, instance, schema) -> errors.
_Keyword = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]
#: An error costs more than a look: it is kept with what belongs to it.
_STEPS_OF_ERROR = 50


class OutOfSteps(Exception):
    """The check has cost as much as one may."""


class Meter:
    """Stands where jsonschema has its format checker: the one thing of a caller that it hands to every keyword."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises OutOfSteps."""
        self._left -= steps
        if self._left < 0:
            raise OutOfSteps

    def check(self, instance: object, format: str) -> None:  # noqa: A002 - jsonschema's name
        """Raises FormatError."""
        from jsonschema.exceptions import FormatError  # noqa: PLC0415 - see dialects.py

        kind = FORMATS.get(format)
        if kind is not None and isinstance(instance, str) and not kind.fits(instance):
            raise FormatError("not of its format")


@functools.cache  # one class for each dialect that is used
def metered(dialect: "type[Validator]") -> "type[Validator]":
    """The dialect with every keyword counted by the :class:`Meter` that is its validator's format checker."""
    from jsonschema import validators  # noqa: PLC0415 - see dialects.py

    keywords: Mapping[str, _Keyword] = {**dialect.VALIDATORS, **_OURS}
    known = {name: _counted(keyword) for name, keyword in keywords.items() if name in dialect.VALIDATORS}
    extended: type[Validator] = validators.extend(dialect, known)  # type: ignore[no-untyped-call]  # as typeshed has it
    return extended


def _counted(keyword: _Keyword) -> _Keyword:
    def look(validator: Any, value: Any, instance: Any, schema: Any) -> "Iterator[ValidationError]":
        from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - see dialects.py

        meter: Meter = validator.format_checker
        meter.spend()
        try:
            for error in keyword(validator, value, instance, schema) or ():
                # Where it begins: it has come from no part of the schema below this one.
                meter.spend(1 if error.schema_path else _STEPS_OF_ERROR)
                yield error
        # Of numbers that Python does not calculate with, or does not write out.
        except (ArithmeticError, ValueError, TypeError):
            yield ValidationError("not comparable")

    return look


def _properties(validator: Any, properties: Any, instance: Any, _schema: Any) -> "Iterator[ValidationError]":
    """As jsonschema's own, which loses the path of what is `false`, and so does the next."""
    for name, schema in properties.items() if validator.is_type(instance, "object") else ():
        if name in instance:
            yield from validator.descend(instance[name], _as_mapping(schema), path=name, schema_path=name)


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> "Iterator[ValidationError]":
    for pattern, schema in patterns.items() if validator.is_type(instance, "object") else ():
        for name in instance:
            if re.search(pattern, name):
                yield from validator.descend(instance[name], _as_mapping(schema), path=name, schema_path=pattern)


def _additional_properties(validator: Any, asked: Any, instance: Any, schema: Any) -> "Iterator[ValidationError]":
    """In the order of the file, which jsonschema's has not: of many errors the first are told."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - see dialects.py

    names = additional(schema, instance) if validator.is_type(instance, "object") else ()
    if asked is False and next(iter(names), None) is not None:
        yield ValidationError("more keys")  # which ones is asked for when it is put into words
    for name in names if asked is not False else ():
        yield from validator.descend(instance[name], asked, path=name)


def _as_mapping(schema: Any) -> Any:
    return NEVER if schema is False else schema


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> "Iterator[ValidationError]":
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - see dialects.py

    if validator.is_type(instance, "string") and (len(instance) > LONGEST_MATCHED or not re.search(pattern, instance)):
        yield ValidationError("does not match")


def _property_names(validator: Any, names: Any, instance: Any, _schema: Any) -> "Iterator[ValidationError]":
    """With the name in the path, which jsonschema leaves out."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - see dialects.py

    for name in instance if validator.is_type(instance, "object") else ():
        for error in validator.descend(instance=name, schema=names):
            yield ValidationError("not such a name", path=[name], cause=error)


def _unique_items(validator: Any, is_asked: Any, instance: Any, _schema: Any) -> "Iterator[ValidationError]":
    """In proportion to the list; jsonschema's takes the square of its length."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415 - see dialects.py

    if is_asked and validator.is_type(instance, "array") and len(set(map(_frozen, instance))) < len(instance):
        yield ValidationError("not unique")


def _frozen(value: object) -> object:
    match value:
        case bool():
            return ("boolean", value)  # True is not 1
        case dict():
            return frozenset((key, _frozen(item)) for key, item in value.items())
        case list():
            return tuple(_frozen(item) for item in value)
        case _:
            return value


_OURS: Mapping[str, _Keyword] = {
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "pattern": _pattern,
    "propertyNames": _property_names,
    "uniqueItems": _unique_items,
}
