"""``homeostat config lint`` and ``infer`` on files that are managed and files that are not."""

import json
import stat

import pytest
from fakes.configtree import ENV, SETTINGS, ConfigTree

from cli import config_lint

TIDY = "A=1\nB=2\n"


@pytest.fixture
def tree(tmp_path):
    found = ConfigTree(tmp_path)
    found.write_env(TIDY)
    return found


@pytest.fixture
def other(tree):
    """A file that is not managed."""
    path = tree.folder / "other.env"
    path.write_text("B = 2\nbroken line\nA=1\n")
    path.chmod(0o640)
    return path


def rows(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_tidy_files_have_no_findings(tree):
    result = tree.run("lint")

    assert result.exit_code == 0, result.output
    assert result.stdout == "3 files, 0 findings\n"


def test_findings_are_told_with_place_severity_and_rule(tree, other):
    result = tree.run("lint", other)

    assert result.exit_code == 1
    assert f"{other}:2:1: error: not NAME=value" in result.stdout
    assert "(malformed-line)" in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith("1 file, ") and last.endswith(" of them can be mended with --fix")


def test_findings_of_style_alone_end_with_0(tree, other):
    other.write_text("B=2\nA=1\n")

    result = tree.run("lint", other)

    assert result.exit_code == 0
    assert "style: " in result.stdout


def test_findings_for_programs_are_lines_of_json(tree, other):
    result = tree.run("lint", "--json", other)

    (malformed,) = (row for row in rows(result) if row["rule"] == "malformed-line")
    assert result.exit_code == 1
    assert malformed["file"] == str(other)
    assert (malformed["line"], malformed["column"], malformed["severity"]) == (2, 1, "error")


def test_a_managed_file_is_linted_by_name_and_by_path_with_all_it_is_refused_for(tree):
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", "schema: env.yml, example: app/example"))
    (tree.folder / "env.yml").write_text("keys: {A: {type: boolean}}\n")
    (tree.folder / "app" / "example").write_text("LACKING=\n")
    tree.write_env("A=s3cret\n")

    by_name, by_path = tree.run("lint", "--json", "app"), tree.run("lint", "--json", tree.env)

    assert {row["rule"] for row in rows(by_name)} == {"schema", "missing-key"}
    assert by_name.stdout == by_path.stdout
    assert "s3cret" not in by_name.output


def test_keys_that_no_compose_file_uses_are_found_unless_containers_get_all_keys(tree):
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", "compose: [app/compose.yml]"))
    tree.compose.write_text("services: {web: {image: 'nginx:${A}'}}\n")
    tree.write_env("A=${C}\nB=2\nC=3\n")

    unused = tree.run("lint", "--json", "app")
    tree.compose.write_text("services: {web: {image: 'nginx:${A}', env_file: .env}}\n")
    used = tree.run("lint", "--json", "app")

    assert [(row["rule"], row["line"]) for row in rows(unused) if row["severity"] != "style"] == [("unused-key", 2)]
    assert [row for row in rows(used) if row["severity"] != "style"] == []


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("a.yml", "a:\n\tb: 1\n", "tab-indent"),
        ("a.yml", "a: 1\na: 2\n", "parse"),
        ("a.json", '{"a": 1,}', "parse"),
        ("a.toml", "a = \n", "parse"),
        ("a.ini", "a = 1\n", "parse"),
        ("a.yml", "a: 1\n<<<<<<< HEAD\n", "merge-marker"),
        (".env.local", "A=1\nA=2\n", "duplicated-key"),
        ("a.json", b"\xff\xfe{}", "encoding"),
    ],
    ids=str,
)
def test_files_of_every_format_are_linted_and_one_fault_is_told_once(tree, name, text, rule):
    path = tree.folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)

    result = tree.run("lint", "--json", path)

    assert result.exit_code == 1
    assert [row["rule"] for row in rows(result) if row["severity"] == "error"] == [rule]


def test_the_format_is_told_where_the_name_does_not_tell_it(tree):
    path = tree.folder / "web.conf"
    path.write_text("A=1\n")

    untold, told = tree.run("lint", path), tree.run("lint", "--format", "env", path)

    assert untold.exit_code == 3
    assert "--format env|ini|json|toml|yaml" in untold.stderr
    assert told.exit_code == 0, told.output


def test_one_file_that_cannot_be_read_hides_no_other(tree, other):
    result = tree.run("lint", "nope", tree.folder, other)

    assert result.exit_code == 3
    assert "nope: neither a managed file nor one that is there" in result.stderr
    assert f"{tree.folder}: is a folder" in result.stderr
    assert f"{other}:2:1" in result.stdout


def test_fix_mends_a_managed_file_and_keeps_the_old_content_as_a_version(tree):
    tree.write_env("B = 2\nbroken line\nA=1")

    result = tree.run("lint", "--fix", "app")

    assert result.exit_code == 0, result.output
    assert tree.env.read_text() == "B=2\nA=1\n"
    assert f"{tree.env}: line 2: removed: not NAME=value" in result.stdout
    assert "version 2 of app" in result.stdout
    history = rows(tree.run("history", "app", "--json"))
    assert [(row["origin"], row["why"]) for row in history] == [("changed", "lint --fix"), ("found", "")]
    assert tree.run("diff", "app", 1).exit_code == 1


def test_fix_mends_another_file_and_keeps_the_old_one_beside_it_with_its_mode(tree, other):
    old = other.read_text()

    result = tree.run("lint", "--fix", other)
    again = tree.run("lint", "--fix", other)

    copy = other.with_name("other.env.bak")
    assert other.read_text() == "B=2\nA=1\n"
    assert copy.read_text() == old
    assert [stat.S_IMODE(path.stat().st_mode) for path in (other, copy)] == [0o640, 0o640]
    assert f"kept in {copy}" in result.stdout
    assert "kept in" not in again.stdout


def test_fix_does_not_replace_an_older_copy(tree, other):
    other.with_name("other.env.bak").write_text("older")

    tree.run("lint", "--fix", other)

    assert other.with_name("other.env.bak").read_text() == "older"
    assert other.with_name("other.env.bak1").read_text() == "B = 2\nbroken line\nA=1\n"


@pytest.mark.parametrize("is_managed", [True, False])
def test_fix_does_not_overwrite_what_somebody_wrote_meanwhile(tree, other, monkeypatch, is_managed):
    path = tree.env if is_managed else other
    path.write_text("A = 1\n")
    real = config_lint.fix_env

    def slowly(text):
        path.write_text("THEIRS=1\n")
        return real(text)

    monkeypatch.setattr(config_lint, "fix_env", slowly)

    result = tree.run("lint", "--fix", path)

    assert result.exit_code == 3
    assert "somebody changed it" in result.stderr
    assert path.read_text() == "THEIRS=1\n"


def test_what_is_wrong_with_a_managed_line_is_told_once(tree):
    tree.write_env("broken line\n")

    result = tree.run("lint", "--json", "app")

    assert [row["rule"] for row in rows(result)] == ["malformed-line"]


def test_who_changed_a_file_is_no_matter_of_a_linter(tree):
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", "foreign: restore"))
    tree.run("accept", "app")
    tree.write_env(TIDY + "C=3\n")

    linted, verified = tree.run("lint", "app"), tree.run("verify", "app")

    assert linted.exit_code == 0, linted.output
    assert verified.exit_code == 4


def test_fix_that_the_schema_refuses_changes_nothing(tree):
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", "schema: env.yml"))
    (tree.folder / "env.yml").write_text("keys: {A: {type: boolean}}\n")
    tree.write_env("A = s3cret\n")

    result = tree.run("lint", "--fix", "app")

    assert result.exit_code == 3
    assert "A: " in result.stderr
    assert tree.env.read_text() == "A = s3cret\n"
    assert "s3cret" not in result.output


def test_fix_tells_programs_what_is_left_on_standard_output_alone(tree, other):
    result = tree.run("lint", "--fix", "--json", other)

    assert [row["rule"] for row in rows(result)] == ["unordered-key"]
    assert "line 2: removed" in result.stderr


def test_files_are_linted_where_there_are_no_settings(tree, other):
    tree.settings.unlink()

    result = tree.run("lint", other)

    assert result.exit_code == 1
    assert "malformed-line" in result.stdout


def test_damaged_settings_are_linted(tree):
    tree.settings.write_text("docker: {enabled: 7}\n")

    result = tree.run("lint", "homeostat")

    assert result.exit_code == 1
    assert "docker.enabled: 7: must be true, false or auto" in result.stdout


@pytest.mark.parametrize("name", ["app", "compose"])
def test_an_inferred_schema_fits_its_file_and_holds_no_value(tree, name):
    tree.write_env(ENV)
    schema = tree.folder / "schema.yml"

    result = tree.run("infer", name, "-o", schema)
    tree.settings.write_text(SETTINGS.replace(f"  {name}: {{", f"  {name}: {{schema: schema.yml, "))

    assert result.exit_code == 0, result.output
    assert tree.run("verify", name).exit_code == 0
    for value in ("hunter2", "8080", "nginx"):
        assert value not in schema.read_text()


def test_infer_prints_what_it_is_not_told_to_write_and_replaces_nothing_unasked(tree, other):
    other.write_text("A=1\n")
    schema = tree.folder / "schema.yml"
    schema.write_text("mine")

    printed = tree.run("infer", other)
    refused = tree.run("infer", other, "-o", schema)
    between = schema.read_text()
    forced = tree.run("infer", other, "-o", schema, "--force")

    assert "A:" in printed.stdout
    assert (refused.exit_code, between) == (3, "mine")
    assert "--force" in refused.stderr
    assert forced.exit_code == 0
    assert schema.read_text() == printed.stdout


def test_infer_of_what_is_not_valid_tells_where(tree, other):
    result = tree.run("infer", other)

    assert result.exit_code == 3
    assert result.stderr.startswith(f"{other}:2:1: ")
