"""``homeostat config list``, ``get``, ``history`` and ``diff`` on real files: what is shown, and what never is."""

import json

import pytest
from fakes.configtree import ENV, ConfigTree

from cli import common


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setattr(common.console, "_width", 300)
    return ConfigTree(tmp_path)


def test_list_tells_each_file_its_format_and_its_state(tree):
    tree.run("accept", "app")

    result = tree.run("list")

    assert result.exit_code == 0, result.output
    (line,) = (line for line in result.stdout.splitlines() if str(tree.env) in line)
    for words in ("app", "env", "good", "20", " 1 "):
        assert words in line
    assert "homeostat.yml" in result.stdout


def test_list_ends_with_1_when_a_file_is_damaged_and_says_so_to_programs(tree):
    tree.write_env("no line of an env file\n")

    result = tree.run("list", "--json")

    rows = {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert rows["app"]["state"] == "damaged"
    assert rows["app"]["last_good"] is None
    assert rows["compose"]["state"] == "good"


def test_a_file_whose_schema_is_damaged_is_listed_as_damaged_and_hides_no_other(tree):
    tree.settings.write_text(tree.settings.read_text() + "  web: {path: app/web.json, schema: app/none.yml}\n")
    (tree.folder / "app" / "web.json").write_text("{}")

    result = tree.run("list", "--json")

    rows = {row["name"]: row["state"] for row in map(json.loads, result.stdout.splitlines())}
    assert result.exit_code == 1
    assert rows == {"app": "good", "compose": "good", "homeostat": "good", "web": "damaged"}


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (("app", "PORT"), "8080\n"),
        (("compose", "services.web.image"), "nginx:1.25\n"),
        (("compose", "services.web.ports.0"), "80:80\n"),
        (("compose", 'services.web.labels."a.b"'), "x\n"),
        (("compose", "services.web.labels"), '{"a.b": "x"}\n'),
        (("app", "DB_PASSWORD"), "***\n"),
        (("app", "DB_PASSWORD", "--show-secrets"), "hunter2-old\n"),
        (("app", "DATABASE_URL"), "postgres://***@db/shop\n"),
        (("compose", "services.web.environment.0"), "POSTGRES_PASSWORD=***\n"),
        (("compose", "services.web.environment.1"), "MODE=fast\n"),
        (("app", "PORT", "--json"), '"8080"\n'),
    ],
    ids=str,
)
def test_get_prints_one_value(tree, arguments, printed):
    result = tree.run("get", *arguments)

    assert (result.exit_code, result.stdout) == (0, printed), result.stderr


def test_a_schema_says_what_is_a_secret_and_what_is_none(tree):
    tree.settings.write_text(tree.settings.read_text().replace("rereads: at_creation", "schema: env.yml"))
    schema = "keys: {DEBUG: {type: string, secret: true}, DB_PASSWORD: {type: string, secret: false}}\n"
    (tree.folder / "env.yml").write_text(schema)
    tree.run("accept", "app")
    tree.write_env(ENV.replace("DEBUG=false", "DEBUG=on").replace("hunter2-old", "no-secret"))

    got, different = tree.run("get", "app"), tree.run("diff", "app")

    assert got.stdout.startswith("DEBUG=***\nDB_PASSWORD=no-secret\n")
    assert "+DEBUG=*** (changed)" in different.stdout
    assert '+DB_PASSWORD="no-secret"' in different.stdout


def test_get_without_a_key_lists_all_with_secrets_masked(tree):
    result = tree.run("get", "app")

    assert result.stdout == "DEBUG=false\nDB_PASSWORD=***\nDATABASE_URL=postgres://***@db/shop\nPORT=8080\n"


def test_what_get_lists_are_keys_that_get_takes(tree):
    keys = [line.partition("=")[0] for line in tree.run("get", "compose").stdout.splitlines()]

    results = [tree.run("get", "compose", key) for key in keys]

    assert 'services.web.labels."a.b"' in keys
    assert [result.exit_code for result in results] == [0] * len(keys)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("get", "nope"), 3, "nope: no such managed file; allowed: app, compose, homeostat"),
        (("get", "app", "POTR"), 3, "no key POTR; is it PORT?"),
        (("get", "compose", "services..web"), 2, "is no key"),
        (("get", "compose", "services.web.ports.7"), 3, "no key services.web.ports.7"),
        (("get", "compose", "services.web.ports." + "9" * 5000), 3, "no key services.web.ports.9"),
        (("diff", "app", "7"), 3, "no version 7"),
        (("diff", "app"), 3, "config accept app"),
        (("history", "nope"), 3, "no such managed file"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_not_there_is_told_in_a_line_with_what_is(tree, arguments, code, words):
    result = tree.run(*arguments)

    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_not_parsed_is_told_with_its_place_and_what_to_do(tree):
    tree.write_env("A=1\nmy hunter2\n")

    result = tree.run("get", "app", "A")

    assert result.exit_code == 3
    assert result.stderr.startswith(f"{tree.env}:2:1: ")
    assert "config restore app" in result.stderr
    assert "hunter2" not in result.output
    assert result.stderr.count("\n") == 1


def test_history_has_the_newest_first_with_who_why_and_whether_it_was_good(tree):
    tree.run("accept", "app", "--who", "ann@host")
    tree.run("set", "app", "PORT=1", "--who", "bob@host", "--why", "[red]moved")

    result = tree.run("history", "app")
    as_json = tree.run("history", "app", "--json")

    lines = [line for line in result.stdout.splitlines() if "@host" in line]
    assert ["bob@host" in lines[0], "ann@host" in lines[1]] == [True, True]
    assert "[red]moved" in lines[0] and "changed" in lines[0] and "yes" in lines[0]
    rows = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [(row["number"], row["who"], row["origin"]) for row in rows] == [
        (2, "bob@host", "changed"),
        (1, "ann@host", "accepted"),
    ]


def test_diff_shows_what_has_changed_since_the_last_good_version_without_secrets(tree):
    tree.run("accept", "app")
    tree.write_env(ENV.replace("8080", "9090").replace("hunter2-old", "hunter3-new"))

    result = tree.run("diff", "app")

    assert result.exit_code == 1
    assert "-PORT=8080" in result.stdout and "+PORT=9090" in result.stdout
    assert "-DB_PASSWORD=***  # secret" in result.stdout
    assert "+DB_PASSWORD=*** (changed)  # secret" in result.stdout
    for secret in ("hunter2", "hunter3", "pw12345"):
        assert secret not in result.output


def test_diff_between_versions_and_with_secrets_where_they_are_asked_for(tree):
    tree.run("accept", "app")
    tree.run("set", "app", "DB_PASSWORD=hunter3-new")
    tree.run("set", "app", "PORT=1")

    masked = tree.run("diff", "app", 1, 2)
    shown = tree.run("diff", "app", 1, 2, "--show-secrets")
    same = tree.run("diff", "app", 3, 3)

    assert (masked.exit_code, shown.exit_code, same.exit_code) == (1, 1, 0)
    assert "(version 1)" in masked.stdout and "(version 2)" in masked.stdout
    assert "hunter3-new" in shown.stdout
    assert "hunter" not in masked.output
    assert "PORT=1" not in masked.stdout
    assert same.stdout == ""


def test_a_diff_of_what_is_no_text_says_why_and_shows_nothing_of_it(tree):
    tree.run("accept", "app")
    tree.env.write_bytes("DB_PASSWORD=hunter2-old".encode("utf-16"))

    result = tree.run("diff", "app")

    assert result.exit_code == 1
    assert "UTF-16" in result.stdout
    assert "hunter" not in result.output


def test_a_diff_of_a_file_that_is_gone_shows_all_of_it_as_gone(tree):
    tree.run("accept", "app")
    tree.env.unlink()

    result = tree.run("diff", "app")

    assert result.exit_code == 1
    assert "(no file)" in result.stdout
    assert "-PORT=8080" in result.stdout


def test_a_terminal_takes_nothing_in_a_diff_for_a_command(tree):
    tree.run("accept", "app")
    tree.write_env(ENV + "# \x1b[2J\n")

    result = tree.run("diff", "app")

    assert "\x1b" not in result.stdout
    assert "+# \\x1b[2J" in result.stdout
