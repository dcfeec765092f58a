"""Plain data -> frozen dataclasses, strictly: an unknown key or a wrong type is an error, and all are told at once.

The types say what is allowed; :mod:`cattrs` walks through them. A value with a form of its own is
``Annotated[float, Parsed(parse_duration)]``, one with bounds ``Annotated[int, Checked(at_least(1))]``; what several
fields have to agree on stands in the class's ``__post_init__``, as ValueError or :class:`~homeostat.explain.At`.
"""

import functools
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from cattrs import Converter
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from homeostat.explain import At, Invalid, explain, key_of, shown

T = TypeVar("T")
_Hook = Callable[[Any, Any], Any]  # (value, type) -> structured value: cattrs's own form

_SECTION = "must be a section with keys below it"
#: Of one list or mapping, and altogether: more than anybody reads, and what others send must not fill the memory.
_MOST_PROBLEMS = 50
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_TRUE = ("true", "yes", "on", "1", 1)
_FALSE = ("false", "no", "off", "0", 0)


@dataclass(frozen=True, slots=True)
class Parsed:
    """How people write a value. What homeostat itself or another program writes has the plain type."""

    parse: Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Checked:
    """``check`` raises ValueError, with what is allowed, for a value that has the right type and is still wrong."""

    check: Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Of a union: the key whose ``Literal`` tells one class from the others."""

    key: str


class _Writer(StrEnum):
    PERSON = "person"
    HOMEOSTAT = "homeostat"
    PROGRAM = "program"


def written(cls: type[T], data: object) -> T:
    """From what people wrote: durations and sizes need their unit. Raises Invalid."""
    return _structured(cls, data, _Writer.PERSON)


def stored(cls: type[T], data: object) -> T:
    """From what homeostat stored: a duration is seconds, a size bytes. Raises Invalid."""
    return _structured(cls, data, _Writer.HOMEOSTAT)


def received(cls: type[T], data: object) -> T:
    """From what another program sends: as :func:`stored`, and keys we do not use may be there. Raises Invalid."""
    return _structured(cls, data, _Writer.PROGRAM)


def _structured(cls: type[T], data: object, writer: _Writer) -> T:
    try:
        return _converter(writer).structure(data, cls)
    except Exception as err:  # noqa: BLE001 - explain() raises what is no fault of the data again
        raise Invalid(tuple(itertools.islice(explain(err, data), _MOST_PROBLEMS))) from None


@functools.cache  # a process needs one or two of the three
def _converter(writer: _Writer) -> Converter:
    converter = Converter(detailed_validation=True)
    for cls, scalar in _SCALARS.items():
        converter.register_structure_hook(cls, scalar)

    def register(is_ours: Callable[[Any], bool], hook: Callable[..., _Hook], **options: bool) -> None:
        def factory(cls: Any) -> _Hook:
            return hook(cls, converter, **options)

        converter.register_structure_hook_factory(is_ours, factory)

    register(_is(Literal), _choice_of_literal)
    register(_is(tuple), _sequence)
    register(_is(Mapping), _mapping)
    register(is_dataclass, _model, forbid_extra_keys=writer is not _Writer.PROGRAM)
    register(_is(Annotated), _annotated, is_parsed=writer is _Writer.PERSON)
    return converter


def _is(origin: Any) -> Callable[[Any], bool]:
    return lambda cls: get_origin(cls) is origin


def _model(cls: Any, converter: Converter, *, forbid_extra_keys: bool) -> _Hook:
    @functools.cache
    def structure() -> _Hook:
        renamed = {field.name: override(rename=key_of(field)) for field in fields(cls) if key_of(field) != field.name}
        return make_dict_structure_fn(
            cls,
            converter,
            _cattrs_forbid_extra_keys=forbid_extra_keys,
            _cattrs_use_linecache=False,
            **renamed,  # type: ignore[arg-type]  # field names and options share cattrs's keywords
        )

    def hook(value: object, cls_: Any) -> object:
        if not isinstance(value, dict):
            raise ValueError(_SECTION)  # noqa: TRY004 - wrong data, not a wrong call
        # Made for what is there: cattrs writes code, 40 KiB for a class.
        return structure()(value, cls_)

    return hook


def _annotated(cls: Any, converter: Converter, *, is_parsed: bool) -> _Hook:
    plain, *markers = get_args(cls)
    checks = [marker.check for marker in markers if isinstance(marker, Checked)]
    structure = _unchecked(plain, markers, converter, is_parsed=is_parsed)

    def hook(value: object, _cls: Any) -> object:
        found = structure(value, plain)
        for check in checks:
            check(found)
        return found

    return hook


def _unchecked(plain: Any, markers: list[object], converter: Converter, *, is_parsed: bool) -> _Hook:
    for marker in markers:
        if isinstance(marker, Parsed) and is_parsed:
            return _parsed(marker)
        if isinstance(marker, Tagged):
            return _tagged(plain, marker.key, converter)
    return converter.get_structure_hook(plain)


def _parsed(marker: Parsed) -> _Hook:
    return lambda value, _cls: marker.parse(value)


def _tagged(union: Any, key: str, converter: Converter) -> _Hook:
    members = {get_args(get_type_hints(member)[key])[0]: member for member in get_args(union)}

    def hook(value: object, _cls: Any) -> object:
        if not isinstance(value, dict):
            raise ValueError(_SECTION)  # noqa: TRY004 - wrong data, not a wrong call
        if key not in value:
            raise At((key,), "required, but missing")
        tag = value[key]
        if not isinstance(tag, str) or tag not in members:
            raise At((key,), f"{shown(tag)}must be one of {', '.join(map(repr, members))}")
        return converter.structure(value, members[tag])

    return hook


def _sequence(cls: Any, converter: Converter) -> _Hook:
    item_type = get_args(cls)[0]
    structure = converter.get_structure_hook(item_type)

    def hook(value: object, _cls: Any) -> object:
        if not isinstance(value, list | tuple):
            raise ValueError("must be a list, for example [one, two]")  # noqa: TRY004 - wrong data, not a wrong call
        found: list[object] = []
        problems: list[Exception] = []
        for index, item in enumerate(value):
            try:
                found.append(structure(item, item_type))
            except Exception as err:  # noqa: BLE001 - handed on, whatever it is
                problems.append(_at(err, index, item_type))
                if len(problems) == _MOST_PROBLEMS:
                    break
        if problems:
            raise ExceptionGroup("a list", problems)
        return tuple(found)

    return hook


def _at(err: Exception, part: Any, part_type: Any) -> Exception:
    """The error with its index or key noted on it, as cattrs does."""
    err.add_note(IterableValidationNote("", part, part_type))
    return err


def _mapping(cls: Any, converter: Converter) -> _Hook:
    key_type, value_type = get_args(cls)
    structure_key, structure_value = converter.get_structure_hook(key_type), converter.get_structure_hook(value_type)

    def hook(value: object, _cls: Any) -> object:
        if not isinstance(value, dict):
            raise ValueError(_SECTION)  # noqa: TRY004 - wrong data, not a wrong call
        found: dict[object, object] = {}
        of_keys: list[Exception] = []
        of_values: list[Exception] = []
        for key, item in value.items():
            name = None
            try:
                name = structure_key(key, key_type)
            except ValueError as err:
                at, seen = (err.path, "") if isinstance(err, At) else ((), shown(key))
                of_keys.append(At((str(key), *at), f"{seen}{err}"))
            try:
                found[name] = structure_value(item, value_type)
            except Exception as err:  # noqa: BLE001 - handed on, whatever it is
                of_values.append(_at(err, key, value_type))
            if len(of_keys) + len(of_values) >= _MOST_PROBLEMS:
                break
        if of_keys or of_values:
            raise ExceptionGroup("a mapping", of_keys + of_values)
        return found

    return hook


def _choice_of_literal(cls: Any, _converter: Converter) -> _Hook:
    choices = get_args(cls)

    def hook(value: object, _cls: Any) -> object:
        for choice in choices:
            if value == choice and type(value) is type(choice):  # 1 is not True
                return choice
        raise ValueError(f"must be {_one_of(choices)}")

    return hook


def _choice_of_enum(value: object, cls: type[StrEnum]) -> StrEnum:
    if not isinstance(value, str) or value not in list(cls):
        raise ValueError(f"must be {_one_of(tuple(member.value for member in cls))}")
    return cls(value)


def _one_of(choices: tuple[object, ...]) -> str:
    *most, last = map(repr, choices)
    return f"{', '.join(most)} or {last}" if most else last


def _text(value: object, _cls: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text: quote it")  # noqa: TRY004 - wrong data, not a wrong call
    _is_whole(value)
    return value


def _is_whole(text: str) -> None:
    """JSON and YAML can name half a character; no file, program or header can be given one."""
    if not text.isascii() and _HALF_CHARACTER.search(text):
        raise ValueError("must be text of whole characters")


def _truth(value: object, _cls: Any) -> bool:
    """Also in words: labels and environments have no others."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else value
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("must be true or false")


def _whole_number(value: object, _cls: Any) -> int:
    if type(value) is not int:
        raise ValueError("must be a whole number")
    return value


def _number(value: object, _cls: Any) -> float:
    if type(value) is not int and type(value) is not float:
        raise ValueError("must be a number")
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        raise ValueError("must be a number") from None


def _path(value: object, _cls: Any) -> Path:
    if not isinstance(value, str):
        raise ValueError("must be a path: quote it")  # noqa: TRY004 - wrong data, not a wrong call
    if "\0" in value:
        raise ValueError("must be a path: no system allows a NUL in one")
    _is_whole(value)
    return Path(value)


_SCALARS: Mapping[type, _Hook] = {
    str: _text,
    bool: _truth,
    int: _whole_number,
    float: _number,
    Path: _path,
    StrEnum: _choice_of_enum,
}
