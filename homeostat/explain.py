"""What is wrong with settings, in words for those who wrote them: pydantic's errors speak of types, not of YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]

#: Longest value an error message repeats: enough to recognise, too little to leak a certificate.
_SHOWN = 60
_NUMBER = "must be a number"
_WHOLE_NUMBER = "must be a whole number"
_BOOLEAN = "must be true or false"
_SECTION = "must be a section with keys below it"
#: By pydantic's error type; {names} are of its context. What is not here has words of its own that will do.
_WORDS: Mapping[str, str] = {
    "bool_parsing": _BOOLEAN,
    "bool_type": _BOOLEAN,
    "dict_type": _SECTION,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_type": _WHOLE_NUMBER,
    "invalid_key": "a key must be text: quote it",
    "literal_error": "must be {expected}",
    "mapping_type": _SECTION,
    "missing": "required, but missing",
    "model_type": _SECTION,
    "path_type": "must be a path: quote it",
    "string_type": "must be text: quote it",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entry",
    "tuple_type": "must be a list, for example [one, two]",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "required, but missing",
}
#: The value says nothing that the words do not.
_WITHOUT_VALUE = ("extra_forbidden", "missing", "union_tag_not_found")


class At(ValueError):
    """A validator's complaint about a key below the one that it validates."""

    def __init__(self, path: KeyPath, message: str) -> None:
        self.path = path
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Problem:
    """``path`` as it stands in the file. ``text``: the value and what is allowed."""

    path: KeyPath
    text: str


def dotted(path: KeyPath) -> str:
    """``responder.caps.0.count``, on one line whatever the keys are."""
    return ".".join(f"{part!s:.{_SHOWN}}" if str(part).isprintable() else f"{part!r:.{_SHOWN}}" for part in path)


def explain(error: ErrorDetails, root: type[BaseModel]) -> Problem:
    """One error of validating ``root``."""
    path, models = _walk(error["loc"], root)
    if error["loc"][-1:] == ("[key]",):
        path = (*path[:-1], str(error["input"]))  # pydantic says 1 for true
    context = error.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, At):
        return Problem((*path, *cause.path), str(cause))
    if error["type"].startswith("union_tag"):
        path = (*path, context["discriminator"].strip("'"))
    if error["type"] == "extra_forbidden":
        return Problem(path, f"unknown key; allowed: {', '.join(_keys(models))}")
    words = _WORDS.get(error["type"], error["msg"]).format_map(context)
    words = words.removeprefix("Value error, ").replace("Input should be", "must be")
    return Problem(path, _value(error, context) + words)


def _value(error: ErrorDetails, context: Mapping[str, Any]) -> str:
    value = context.get("tag", error["input"])
    if error["type"] in _WITHOUT_VALUE or isinstance(value, BaseModel | dict):
        return ""
    match value:
        case None:
            return "empty: "
        case bool():
            return f"{str(value).lower()} (YAML reads yes, no, on and off so): "
        case str():
            return f"{value!r:.{_SHOWN}}: "
        case _:
            return f"{value!s:.{_SHOWN}}: "


def _walk(location: KeyPath, root: type[BaseModel]) -> tuple[KeyPath, list[type[BaseModel]]]:
    """The location without what pydantic adds to it, and the models whose keys may stand at its last part."""
    models = [root]
    shown: KeyPath = ()
    is_entry = False  # of a list or mapping: its index or key is no field
    for part in location:
        tagged = [model for model in models if part in _tags(model)] if len(models) > 1 and not is_entry else []
        if part == "[key]" or tagged:
            models = tagged or models
            continue
        shown = (*shown, part)
        if is_entry:
            is_entry = False
        elif field := _field(models, part):
            models = _models(field.annotation)
            is_entry = get_origin(field.annotation) in (tuple, Mapping)
    return shown, models


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    """What tells a model from the others of its union; pydantic puts it into locations."""
    field = model.model_fields.get("action")
    return get_args(field.annotation) if field else ()


def _field(models: list[type[BaseModel]], name: object) -> FieldInfo | None:
    fields = [(field.alias or key, field) for model in models for key, field in model.model_fields.items()]
    return next((field for key, field in fields if key == name), None)


def _models(annotation: Any) -> list[type[BaseModel]]:  # a type, at whatever depth
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _keys(models: list[type[BaseModel]]) -> list[str]:
    return [field.alias or key for model in models for key, field in model.model_fields.items()]
