"""A first schema: it fits the file that it was made from, and tells none of its values."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeostat.configfiles.formats.base import MAX_DEPTH
from homeostat.configfiles.schema import load_schema
from homeostat.configfiles.schema.infer import infer

#: The folder may be the same for all examples, and the machine busy.
IN_A_FOLDER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True) | st.sampled_from(
    ["DB_PORT", "API_KEY", "NO", "PASSWORD", "HOME_URL"]
)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    [
        "",
        "8080",
        "0",
        "-1",
        "1.5",
        "true",
        "no",
        "10m",
        "30s",
        "512m",
        "4g",
        "/etc/x",
        "changeme",
        "https://u:p@h/x",
        "a@b",
    ]
)
KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.dates()
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


def keys_of(**data: str) -> dict[str, Any]:
    return yaml.safe_load(infer(data, "env"))["keys"]


def check(text: str, data: Mapping[str, object], format_name: str, folder: Path) -> list[str]:
    path = folder / ("schema.json" if format_name == "json" else "schema.yml")
    path.write_text(text, encoding="utf-8", newline="")
    return [violation.text for violation in load_schema(path, format_name).check(data)]


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("DB_PORT", "5432", "port"),
        ("PORT", "80", "port"),
        ("WORKERS", "4", "integer"),
        ("RATIO", "0.5", "number"),
        ("DEBUG", "false", "boolean"),
        ("HOME_URL", "https://example.org", "url"),
        ("ADMIN", "ops@example.org", "email"),
        ("TIMEOUT", "30s", "duration"),
        ("LIMIT", "4MiB", "size"),
        ("DATA", "/var/lib/x", "path"),
        ("A", "10m", "string"),
        ("ZIP", "01067", "string"),
        ("FLAG", "1", "integer"),
        ("NAME", "shop", "string"),
        ("BIG_PORT", "70000", "integer"),
    ],
)
def test_a_type_is_guessed_where_the_value_is_clear(name: str, value: str, kind: str):
    assert keys_of(**{name: value})[name] == {"type": kind, "required": True}


def test_what_is_empty_is_not_required():
    assert keys_of(A="") == {"A": {"type": "string", "required": False}}


def test_secrets_are_told_by_name_or_userinfo_and_have_no_type_that_tells_of_them():
    assert keys_of(PIN_TOKEN="1234", A_URL="redis://u:p@h") == {
        "PIN_TOKEN": {"type": "string", "required": True, "secret": True},
        "A_URL": {"type": "url", "required": True, "secret": True},
    }


def test_a_placeholder_is_told_and_not_called_a_secret():
    key = keys_of(API_KEY="changeme")["API_KEY"]

    assert "secret" not in key
    assert key["description"].startswith("Holds a placeholder")


def test_the_text_says_where_it_comes_from():
    assert infer({}, "env").startswith("# Inferred from the file as it was: read it")
    assert infer({}, "yaml").startswith("# Inferred from the file as it was: read it")
    assert json.loads(infer({}, "json"))["$comment"].startswith("Inferred from the file as it was: read it")


def test_a_structured_schema_has_types_items_and_what_is_always_there():
    data = {"a": [{"x": 1, "y": "t"}, {"x": 1.5}], "b": None, "c": [1, "t"], "d": []}

    assert json.loads(infer(data, "json")) == {
        "$comment": "Inferred from the file as it was: read it, and correct what it guesses.",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "a": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"x": {"type": "number"}, "y": {"type": "string"}},
                    "required": ["x"],
                },
            },
            "b": {},
            "c": {"type": "array", "items": {"type": ["integer", "string"]}},
            "d": {"type": "array"},
        },
        "required": ["a", "b", "c", "d"],
    }


def test_a_table_of_many_names_is_no_form():
    schema = json.loads(infer({"hosts": {f"h{n}": {"port": n} for n in range(200)}}, "json"))

    assert schema["properties"]["hosts"]["additionalProperties"]["properties"] == {"port": {"type": "integer"}}
    assert "h17" not in json.dumps(schema)


@pytest.mark.parametrize("format_name", ["yaml", "json", "toml"])
def test_the_schema_of_a_deep_or_large_file_can_be_loaded(format_name: str, tmp_path: Path):
    deep: Any = "x"
    for _ in range(MAX_DEPTH - 2):
        deep = {"a": deep}
    large = {f"s{n}": {f"k{m}": m for m in range(99)} for n in range(99)}

    for data in ({"deep": deep}, large, {"when": dt.date(2030, 1, 2)}):
        assert check(infer(data, format_name), data, format_name, tmp_path) == []


@settings(max_examples=150, deadline=None, suppress_health_check=IN_A_FOLDER)
@given(data=st.dictionaries(NAMES, VALUES, max_size=6))
def test_the_schema_of_an_env_file_fits_it(tmp_path: Path, data: dict[str, str]):
    assert check(infer(data, "env"), data, "env", tmp_path) == []


@settings(max_examples=50, deadline=None)
@given(data=st.dictionaries(NAMES, VALUES.map("~q{}".format), max_size=6))
def test_no_value_stands_in_the_schema_of_an_env_file(data: dict[str, str]):
    assert "~q" not in infer(data, "env")


@settings(max_examples=150, deadline=None, suppress_health_check=IN_A_FOLDER)
@given(data=st.dictionaries(KEYS, DATA, max_size=4), format_name=st.sampled_from(["yaml", "json", "toml"]))
def test_the_schema_of_a_structured_file_fits_it(tmp_path: Path, data: dict[str, Any], format_name: str):
    assert check(infer(data, format_name), data, format_name, tmp_path) == []


def test_no_value_stands_in_a_structured_schema():
    data = {"db": {"password": "hunter2", "hosts": ["h-1", "h-2"], "port": 4711}}

    for format_name in ("yaml", "json"):
        text = infer(data, format_name)
        assert not [value for value in ("hunter2", "h-1", "h-2", "4711") if value in text]
