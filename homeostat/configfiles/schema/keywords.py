"""What jsonschema found -> violations in this project's words, which never repeat a value of the file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeostat.configfiles.schema.base import Violation
from homeostat.configfiles.schema.valuetypes import FORMATS
from homeostat.explain import KeyPath

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

#: A longer text is not given to a pattern: its time may grow with the square of the length.
LONGEST_MATCHED = 16_384
#: `false`, written as a keyword.
NEVER: Mapping[str, object] = {"not": {}}
#: Of an enum or of keys: more help nobody.
_MOST_NAMED = 20
_LONGEST_NAMED = 60
_TYPES: Sequence[tuple[type | tuple[type, ...], str]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (Mapping, "object"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One error of jsonschema. ``asked``: the value of the keyword ``rule``; ``beside``: all keywords of that part of
    the schema; ``found``: what the file has; ``cause``: of a name, what is wrong with it.
    """

    rule: str
    asked: Any
    beside: Mapping[str, Any]
    found: Any
    cause: "Fault | None" = None


def violations(error: "ValidationError") -> Iterator[Violation]:
    """At least one for each error."""
    path: KeyPath = tuple(error.absolute_path)
    fault = _fault(error)
    if fault.rule in _OF_KEYS:
        for key, words in _OF_KEYS[fault.rule](fault):
            yield Violation((*path, key), words, fault.rule)
    elif fault.rule in ("anyOf", "oneOf"):
        yield from _of_forms(error, fault, path)
    else:
        yield Violation(path, _words(fault), fault.rule)


def _fault(error: Any) -> Fault:
    # Of a part of a schema that is just `false`, there is no keyword.
    beside = error.schema if isinstance(error.schema, Mapping) else {}
    cause = _fault(error.cause) if error.validator == "propertyNames" else None
    return Fault(error.validator or "false", error.validator_value, beside, error.instance, cause)


def _words(fault: Fault) -> str:
    words = _WORDS.get(fault.rule)
    return (
        words(fault) if words is not None else f"breaks the schema's {fault.rule!r:.{_LONGEST_NAMED}}; see the schema"
    )


def type_name(value: object) -> str:
    """As JSON Schema calls it."""
    return next((name for cls, name in _TYPES if isinstance(value, cls)), "null")


def _listed(values: object, join: str = ", ") -> str:
    items = list(values) if isinstance(values, list | tuple | Mapping) else [values]
    more = f"{join}..." if len(items) > _MOST_NAMED else ""
    return join.join(_named(item) for item in items[:_MOST_NAMED]) + more


def _named(value: object) -> str:
    """A value of the schema."""
    try:
        return f"{value!r:.{_LONGEST_NAMED}}"
    except (ValueError, TypeError):  # a number of thousands of digits; a mapping
        return "a value that is too long to repeat"


def _types(fault: Fault) -> str:
    names = fault.asked
    return " or ".join(names) if isinstance(names, list) else str(names)


def _allowed(schema: Mapping[str, Any]) -> str:
    """What the same part of the schema says besides, in short."""
    if isinstance(schema.get("enum"), list):
        return f"; allowed: {_listed(schema['enum'])}"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"; allowed: {_named(least)} to {_named(most)}"
    if least is not None:
        return f"; allowed: {_named(least)} or more"
    return f"; allowed: {_named(most)} or less" if most is not None else ""


def _of_type(fault: Fault) -> str:
    return f"must be {_types(fault)}, found {type_name(fault.found)}{_allowed(fault.beside)}"


def _of_pattern(fault: Fault) -> str:
    if isinstance(fault.found, str) and len(fault.found) > LONGEST_MATCHED:
        return f"longer than {LONGEST_MATCHED} characters; allowed with a pattern: fewer"
    return f"must match the pattern {_named(fault.asked)}"


def _of_format(fault: Fault) -> str:
    kind = FORMATS.get(str(fault.asked))
    return f"must be {kind.allowed}" if kind else f"must be of the format {_named(fault.asked)}"


def _of_items(fault: Fault) -> str:
    prefix = fault.beside.get("prefixItems", [])
    return f"must have at most {len(prefix)} items"


def _of_property_names(fault: Fault) -> str:
    return f"no name that is allowed here: {_words(fault.cause) if fault.cause else 'see the schema'}"


def _counted(words: str) -> Callable[[Fault], str]:
    return lambda fault: words.format(_named(fault.asked))


_WORDS: Mapping[str, Callable[[Fault], str]] = {
    "type": _of_type,
    "enum": lambda fault: f"must be one of {_listed(fault.asked)}",
    "const": _counted("must be {}"),
    "pattern": _of_pattern,
    "format": _of_format,
    "items": _of_items,
    "propertyNames": _of_property_names,
    "minimum": lambda fault: f"too small{_allowed(fault.beside)}",
    "maximum": lambda fault: f"too large{_allowed(fault.beside)}",
    "exclusiveMinimum": _counted("must be greater than {}"),
    "exclusiveMaximum": _counted("must be less than {}"),
    "multipleOf": _counted("must be a multiple of {}"),
    "minLength": _counted("too short; must have at least {} characters"),
    "maxLength": _counted("too long; must have at most {} characters"),
    "minItems": _counted("must have at least {} items"),
    "maxItems": _counted("must have at most {} items"),
    "minContains": _counted("must have at least {} items that the schema asks for"),
    "maxContains": _counted("must have at most {} items that the schema asks for"),
    "minProperties": _counted("must have at least {} keys"),
    "maxProperties": _counted("must have at most {} keys"),
    "uniqueItems": lambda _: "has an item twice; keep one",
    "contains": lambda _: "has none of the items that the schema asks for",
    "not": lambda fault: "has a form that the schema rules out" if fault.asked else "not allowed here; remove it",
    "unevaluatedProperties": lambda _: "has keys that the schema does not know; remove them, or add them to the schema",
    "unevaluatedItems": lambda _: "has items that the schema does not know",
    "false": lambda _: "not allowed here; remove it",
}


def _missing(fault: Fault) -> Iterator[tuple[str, str]]:
    for key in fault.asked:
        if key not in fault.found:
            yield key, "required, but missing"


def _missing_with(fault: Fault) -> Iterator[tuple[str, str]]:
    for key, needed in fault.asked.items():
        for each in needed if key in fault.found and isinstance(needed, list) else ():
            if each not in fault.found:
                yield each, f"required with {key}, but missing"


def additional(schema: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Keys that ``additionalProperties`` is about, in the order of the file."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for key in found:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            yield key


def _unknown(fault: Fault) -> Iterator[tuple[str, str]]:
    known = [*fault.beside.get("properties", {}), *fault.beside.get("patternProperties", {})]
    for key in additional(fault.beside, fault.found):
        yield key, f"unknown key; allowed: {_listed(known) if known else 'no keys'}"


#: Rules about keys of a mapping: jsonschema's errors are of the mapping, ours are of the keys.
_OF_KEYS: Mapping[str, Callable[[Fault], Iterator[tuple[str, str]]]] = {
    "required": _missing,
    "dependentRequired": _missing_with,
    "dependencies": _missing_with,
    "additionalProperties": _unknown,
}


def _of_forms(error: "ValidationError", fault: Fault, path: KeyPath) -> Iterator[Violation]:
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - see dialects.py

    inner: Sequence[Any] = error.context or ()
    if not inner:
        yield Violation(path, "fits more than one of the schema's forms; must fit exactly one", fault.rule)
    elif all(not each.relative_path and each.validator in _SIMPLE for each in inner):
        forms = dict.fromkeys(_SIMPLE[each.validator](_fault(each)) for each in inner)
        yield Violation(path, f"must be {' or '.join(forms)}, found {type_name(fault.found)}", fault.rule)
    elif (best := best_match([error])) is not None and best is not error:
        yield from violations(best)
    else:
        yield Violation(path, f"fits none of the {len(fault.asked)} forms that the schema allows", fault.rule)


_SIMPLE: Mapping[str, Callable[[Fault], str]] = {
    "type": _types,
    "enum": lambda fault: f"one of {_listed(fault.asked)}",
    "const": lambda fault: _named(fault.asked),
}
