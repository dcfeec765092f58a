"""Schema files: what is wrong with one is said in one line with path, line and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.schema import load_schema
from homeostat.configfiles.schema.envschema import EnvSchema
from homeostat.configfiles.schema.jsonschemas import JsonSchema
from homeostat.configfiles.text import MAX_BYTES


def refusal(path: Path, content: str | bytes, format_name: str = "yaml") -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileRefused) as err:
        load_schema(path, format_name)
    words = str(err.value)
    assert "\n" not in words
    assert words.startswith(str(path))
    return words.removeprefix(str(path))


def test_an_env_file_has_a_schema_of_keys(tmp_path: Path):
    path = tmp_path / "env.schema.yml"
    path.write_text("keys:\n  PORT: {type: port}\n")

    schema = load_schema(path, "env")

    assert isinstance(schema, EnvSchema)
    assert [violation.text for violation in schema.check({"PORT": "x"})] == ["PORT: must be a port, 1 to 65535"]


@pytest.mark.parametrize("format_name", ["yaml", "json", "toml", "ini"])
def test_a_structured_file_has_a_json_schema_in_yaml_or_json(tmp_path: Path, format_name: str):
    in_yaml, in_json = tmp_path / "a.yml", tmp_path / "a.json"
    in_yaml.write_text("properties: {port: {type: integer}}\n")
    in_json.write_text('{\n\t"properties": {"port": {"type": "integer"}}\n}\n')

    for path in (in_yaml, in_json):
        schema = load_schema(path, format_name)
        assert isinstance(schema, JsonSchema)
        assert [violation.text for violation in schema.check({"port": "x"})] == ["port: must be integer, found string"]


def test_dates_in_a_schema_are_text_as_those_of_the_file_are(tmp_path: Path):
    path = tmp_path / "a.yml"
    path.write_text("properties: {since: {enum: [2030-01-02]}}\n")

    assert load_schema(path, "toml").check({"since": "2030-01-02"}) == ()


def test_the_line_of_each_problem_is_told(tmp_path: Path):
    path = tmp_path / "a.yml"

    words = refusal(path, "type: object\nproperties:\n  a:\n    type: strng\n    minimum: x\n")

    assert words.startswith(":4:5: properties.a.type: must be one of 'array'")
    assert f"; {path}:5:5: properties.a.minimum: must be number, found string" in words


def test_of_many_problems_the_first_are_told_and_the_others_counted(tmp_path: Path):
    words = refusal(tmp_path / "a.yml", "".join(f"k{n}: {{}}\n" for n in range(9)), "env")

    assert words.endswith("; and 6 more")
    assert words.count(": unknown key; allowed: keys, extra") == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("keys:\n  A: {type: int}\n", ":2:7: keys.A.type: 'int': must be 'string', 'integer'"),
        ("keys:\n  A:\n    max: 3\n", ":2:3: keys.A: allowed: min and max with integer, number, port"),
        ("extra: maybe\n", ":1:1: extra: 'maybe': must be 'allow' or 'refuse'"),
        ("keys: [A]\n", ":1:1: keys: "),
        ("keys: {A: {}, A: {}}\n", ":1:15: "),
        ("- a\n", ": must be a mapping"),
        ("keys: [\n", ":2:1: "),
        (b"\xff\xfe", ":1:1: is UTF-16; save the file as UTF-8"),
        (b"a: \xff", ":1:4: not UTF-8; save the file as UTF-8"),
        (b"a" * (MAX_BYTES + 1), f": larger than {MAX_BYTES} bytes"),
    ],
)
def test_an_env_schema_that_is_none_is_refused(tmp_path: Path, content: str | bytes, words: str):
    assert refusal(tmp_path / "a.yml", content, "env").startswith(words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"type": "object",}', ":1:18: "),
        ('{"a": 1, "a": 2}', ":1:10: "),
        ("[]", ": must be an object"),
        ('{"type":\n  "nonsense"}', ":1:2: type: must be one of 'array'"),
        ('{"$ref":\n  "https://example.org/x"}', ":1:2: $ref: leads out of this file"),
        ("[" * 100_000, ":1:"),
    ],
)
def test_a_json_schema_that_is_none_is_refused(tmp_path: Path, content: str, words: str):
    assert refusal(tmp_path / "a.json", content, "json").startswith(words)


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path: Path):
    with pytest.raises(FileRefused, match="no such file; create it, or take `schema`"):
        load_schema(tmp_path / "none.yml", "yaml")
    with pytest.raises(FileRefused, match="is a folder; allowed: a plain file"):
        load_schema(tmp_path, "yaml")


def test_a_process_without_json_schemas_does_not_import_the_library():
    code = (
        "import sys; from homeostat.configfiles.schema import load_schema, infer, crossfile, envschema;"
        "print([name for name in ('jsonschema', 'referencing', 'urllib.request') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.strip() == "[]"


def test_checking_a_json_schema_opens_no_way_to_the_net():
    code = (
        "import sys; from homeostat.configfiles.schema import dialects, jsonschemas;"
        "schema = {'properties': {'default': {'$ref': 'http://127.0.0.1:9/x'}}};"
        "jsonschemas.JsonSchema(dialects.prepared(schema)).check({'default': 1});"
        "print([name for name in ('urllib.request', 'http.client', 'requests', 'socket') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.strip() == "[]"
