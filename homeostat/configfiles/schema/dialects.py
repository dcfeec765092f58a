"""A JSON Schema made ready: held to its dialect's own rules, and to references that stay in its file."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from homeostat.configfiles.schema.base import Violation, bounded
from homeostat.configfiles.schema.keywords import violations
from homeostat.configfiles.schema.metered import metered
from homeostat.configfiles.schema.valuetypes import FORMATS, is_regex
from homeostat.explain import KeyPath

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

DEFAULT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
#: Fine at the root, where they only name the schema; below it they would be another schema.
_OF_ROOT = ("$id", "id", "$schema")
#: Keywords with values of the file below them, where a "$ref" is text.
_OF_VALUES = ("enum", "const", "default", "examples")
_DEEP = "nested too deep, or a number too large, for a schema; make it simpler"


def problems_of(schema: Mapping[str, object]) -> tuple[Violation, ...]:
    """Why ``schema`` is none that can be used; nothing when it can."""
    dialect = _dialect(schema)
    if dialect is None:
        allowed = "drafts 2020-12, 2019-09, 07, 06 and 04 of json-schema.org, or none for 2020-12"
        return (Violation(("$schema",), f"unknown dialect; allowed: {allowed}", "$schema"),)
    try:
        problems = [*_against_dialect(dialect, schema), *_references(dialect, schema)]
        return bounded(problems or _patterns(schema))
    except (RecursionError, OverflowError):
        return (Violation((), _DEEP, "schema"),)


def prepared(schema: Mapping[str, object]) -> "Validator":
    """Of a schema without :func:`problems_of`; its format checker has to be a Meter."""
    from referencing import Registry  # noqa: PLC0415 - as in _dialect

    dialect = _dialect(schema)
    assert dialect is not None  # noqa: S101 - said by problems_of
    # With $schema, jsonschema would take the class that it knows by that name instead of ours.
    own = {key: value for key, value in schema.items() if key != "$schema"}
    # An empty registry fetches nothing; without one, jsonschema would ask the net.
    return metered(dialect)(own, registry=Registry())


def _dialect(schema: Mapping[str, object]) -> "type[Validator] | None":
    from jsonschema import validators  # noqa: PLC0415 - 5 MB that a process without JSON Schemas does not pay

    known: Mapping[str, type[Validator]] = {
        DEFAULT: validators.Draft202012Validator,
        "https://json-schema.org/draft/2019-09/schema": validators.Draft201909Validator,
        "http://json-schema.org/draft-07/schema": validators.Draft7Validator,
        "http://json-schema.org/draft-06/schema": validators.Draft6Validator,
        "http://json-schema.org/draft-04/schema": validators.Draft4Validator,
    }
    name = schema.get("$schema", DEFAULT)
    return known.get(name.rstrip("#")) if isinstance(name, str) else None


def _against_dialect(dialect: "type[Validator]", schema: Mapping[str, object]) -> Iterator[Violation]:
    checker: Any = dialect(dialect.META_SCHEMA, format_checker=dialect.FORMAT_CHECKER)
    for error in checker.iter_errors(schema):
        yield from violations(error)


def _references(dialect: "type[Validator]", schema: Mapping[str, object]) -> Iterator[Violation]:
    from referencing import Registry  # noqa: PLC0415 - as in _dialect
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - as in _dialect
    from referencing.jsonschema import specification_with  # noqa: PLC0415 - as in _dialect

    specification = specification_with(str(dialect.META_SCHEMA.get("$id", dialect.META_SCHEMA.get("id"))))
    resolver: Any = Registry().resolver_with_root(specification.create_resource(dict(schema)))
    for path, node in _mappings(schema):
        for key in _OF_ROOT:
            if path and isinstance(node.get(key), str):
                yield Violation((*path, key), "a schema within a schema; allowed: parts below $defs, without it", key)
        for key in _REFERENCES:
            reference = node.get(key)
            if not isinstance(reference, str):
                continue
            if not reference.startswith("#"):
                allowed = "#/$defs/NAME, with that part copied into this file"
                yield Violation((*path, key), f"leads out of this file; allowed: {allowed}", key)
                continue
            try:
                resolver.lookup(reference)
            except Unresolvable:
                yield Violation((*path, key), "leads to nothing in this file; allowed: what is below $defs", key)


def _patterns(schema: Mapping[str, object]) -> Iterator[Violation]:
    """Those that draft 04 does not look at."""
    for path, node in _mappings(schema):
        patterns = node.get("patternProperties")
        for pattern in patterns if isinstance(patterns, Mapping) else ():
            if not is_regex(pattern):
                where = (*path, "patternProperties", pattern)
                yield Violation(where, f"its name must be {FORMATS['regex'].allowed}", "patternProperties")


def _mappings(schema: Mapping[str, object]) -> Iterator[tuple[KeyPath, Mapping[str, object]]]:
    stack: list[tuple[KeyPath, object]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, Mapping):
            yield path, node
            stack.extend(((*path, key), value) for key, value in node.items() if key not in _OF_VALUES)
        elif isinstance(node, list):
            stack.extend(((*path, index), value) for index, value in enumerate(node))
