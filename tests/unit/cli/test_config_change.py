"""``homeostat config set`` and all others that change real files: what is changed, and what is not."""

import hashlib
import json
import os
import socket

import pytest
from fakes.configtree import COMPOSE, ENV, SETTINGS, ConfigTree

from homeostat import files


@pytest.fixture
def tree(tmp_path):
    return ConfigTree(tmp_path)


def versions(tree, name="app"):
    return [json.loads(line) for line in tree.run("history", name, "--json").stdout.splitlines()]


def test_set_changes_its_keys_and_leaves_every_other_byte(tree):
    result = tree.run("set", "app", "PORT=9090", "DB_PASSWORD=new pass")

    assert result.exit_code == 0, result.output
    assert tree.env.read_text() == ENV.replace("8080", "9090").replace("hunter2-old", "new pass")
    assert "2 keys changed" in result.stdout
    assert "shop/web have it when their containers are made again" in result.stdout
    assert "new pass" not in result.output


@pytest.mark.parametrize(
    ("assignment", "old", "new"),
    [
        ("services.web.image=nginx:1.26", "nginx:1.25", "nginx:1.26"),
        ("services.web.ports.0=81:80", '"80:80"', '"81:80"'),
        ('services.web.labels."a.b"=y=z', "a.b: x", "a.b: y=z"),
        ("services.web.labels.no=no", "a.b: x}", 'a.b: x, "no": "no"}'),
    ],
    ids=str,
)
def test_set_takes_dotted_keys_indexes_and_quotes(tree, assignment, old, new):
    result = tree.run("set", "compose", assignment)

    assert result.exit_code == 0, result.output
    assert tree.compose.read_text() == COMPOSE.replace(old, new)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("a.n=8",), 8),
        (("a.n=true",), True),
        (("a.n=null",), None),
        (("a.n=1e3",), 1000.0),
        (("a.n=1e999",), "1e999"),
        (("a.n=0123",), "0123"),
        (("a.n=" + "9" * 5000,), "9" * 5000),
        (("a.n=12:30",), "12:30"),
        (("a.n=yes",), "yes"),
        (("a.n=[1, 2]",), "[1, 2]"),
        (("a.n=",), ""),
        (('a.n="8"',), "8"),
        (("--type", "json", "a.n=[1, 2]"), [1, 2]),
        (("--type", "string", "a.n=8"), "8"),
        (("--type", "bool", "a.n=false"), False),
        (("--type", "int", "a.s=5"), 5),
        (("a.s=5",), "5"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_values_are_what_they_look_like_and_text_stays_text(tree, arguments, value):
    tree.settings.write_text(SETTINGS + "  web: {path: web.json}\n")
    (tree.folder / "web.json").write_text('{"a": {"n": 1, "s": "1"}}')

    result = tree.run("set", "web", *arguments)

    assert result.exit_code == 0, result.output
    data = json.loads((tree.folder / "web.json").read_text())["a"]
    found = data["s" if "a.s" in arguments[-1] else "n"]
    assert (type(found), found) == (type(value), value)


def test_a_date_stays_a_date(tree):
    tree.settings.write_text(SETTINGS + "  web: {path: web.toml}\n")
    (tree.folder / "web.toml").write_text("day = 2026-01-01\n")

    result = tree.run("set", "web", "day=2027-02-03")

    assert result.exit_code == 0, result.output
    assert (tree.folder / "web.toml").read_text() == "day = 2027-02-03\n"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("int", "s3cret"), ("bool", "s3cret"), ("json", "{s3cret"), ("json", "NaN"), ("json", "[" * 9999)],
)
def test_a_value_that_is_not_of_its_type_is_refused_and_not_repeated(tree, kind, value):
    result = tree.run("set", "compose", "--type", kind, f"services.web.image={value}")

    assert result.exit_code == 2
    assert "--type" in result.stderr
    assert "s3cret" not in result.output
    assert tree.compose.read_text() == COMPOSE


@pytest.mark.parametrize("arguments", [("DB_PASSWORD=-",), ("--stdin", "DB_PASSWORD")], ids=str)
def test_a_secret_comes_from_standard_input_and_is_nowhere_told(tree, arguments):
    result = tree.run("set", "app", *arguments, stdin="s3cret$x\n")

    assert result.exit_code == 0, result.output
    assert tree.run("get", "app", "DB_PASSWORD", "--show-secrets").stdout == "s3cret$x\n"
    assert "s3cret" not in result.output
    assert "s3cret" not in tree.run("history", "app", "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("set", "app"), 2, "nothing to set"),
        (("set", "app", "PORT"), 2, "not KEY=VALUE"),
        (("set", "app", "=1"), 2, "not KEY=VALUE"),
        (("set", "app", "A=-", "B=-"), 2, "standard input is one value"),
        (("set", "app", "a b=1"), 3, "not a key of a .env file"),
        (("set", "app", "PORT=1", "--why", "two\nlines"), 2, "one line"),
        (("set", "nope", "A=1"), 3, "no such managed file; allowed: app, compose, homeostat"),
        (("set", "compose", "services.db.image=x"), 3, "services.db: not there"),
        (("unset", "app", "NOPE"), 3, "no key NOPE"),
        (("rollback", "app"), 3, "no good version is kept"),
        (("rollback", "app", "7"), 3, "no version 7"),
        (("restore", "app"), 3, "no good version is kept"),
        (("apply", "app"), 2, "NAME=FILE"),
        (("apply", "app=-", "compose=-"), 2, "standard input is one file"),
        (("apply", "app=-", "app=x"), 2, "named twice"),
        (("apply", "app=nowhere"), 3, "nowhere: no such file"),
        (("apply", "app=-", "--expect", "12"), 2, "in hex"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_told_in_a_line_and_nothing_is_changed(tree, arguments, code, words):
    result = tree.run(*arguments, stdin="")

    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert (tree.env.read_text(), tree.compose.read_text()) == (ENV, COMPOSE)


def test_what_is_not_valid_is_refused_with_file_and_place_and_nothing_is_changed(tree):
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", "schema: env.yml"))
    (tree.folder / "env.yml").write_text("keys: {PORT: {type: port}}\n")

    result = tree.run("set", "app", "PORT=s3cret")

    assert result.exit_code == 3
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{tree.env}:5:1: PORT: ")
    assert second == "nothing was changed"
    assert "s3cret" not in result.output
    assert tree.env.read_text() == ENV


def test_setting_what_is_so_already_makes_no_version(tree):
    result = tree.run("set", "app", "PORT=8080")

    assert result.exit_code == 0
    assert "nothing was changed" in result.stdout
    assert versions(tree) == []


def test_unset_takes_several_items_of_a_list_which_move(tree):
    tree.compose.write_text("a: [x, y, z]\nb: 1\nc: {d: 1, e: 2}\n")

    result = tree.run("unset", "compose", "a.1", "a.2", "b", "c.d")

    assert result.exit_code == 0, result.output
    assert tree.compose.read_text() == "a: [x]\nc: {e: 2}\n"
    assert versions(tree, "compose")[0]["why"] == "unset c.d, b, a.2, a.1"


def test_the_history_says_who_it_was(tree):
    tree.run("set", "app", "PORT=1", SUDO_USER="ann")

    assert versions(tree)[0]["who"] == f"ann@{socket.gethostname()}"
    assert versions(tree)[0]["why"] == "set PORT"


def test_rollback_goes_back_step_by_step_and_says_which(tree):
    for port in (1, 2, 3):
        tree.run("set", "app", f"PORT={port}")

    once, twice, thrice, often = [tree.run("rollback", "app") for _ in range(4)]

    assert "back to version 3" in once.stdout
    assert "back to version 2" in twice.stdout
    assert "back to version 1" in thrice.stdout
    assert often.exit_code == 3
    assert tree.env.read_text() == ENV


def test_rollback_goes_to_another_content_and_rather_to_a_good_one(tree):
    tree.run("accept", "app")
    tree.run("set", "app", "PORT=1")
    tree.write_env("MORE=1\n")
    tree.run("set", "app", "PORT=2")
    tree.run("accept", "app")

    result = tree.run("rollback", "app")

    assert [(row["number"], row["origin"]) for row in versions(tree)][1:] == [
        (5, "accepted"),
        (4, "changed"),
        (3, "found"),
        (2, "changed"),
        (1, "accepted"),
    ]
    assert "back to version 2" in result.stdout
    assert tree.env.read_text() == ENV.replace("8080", "1")


def test_rollback_to_a_version_that_is_not_valid_any_more_is_refused(tree):
    tree.run("set", "app", "PORT=none")
    tree.run("set", "app", "PORT=1")
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", "schema: env.yml"))
    (tree.folder / "env.yml").write_text("keys: {PORT: {type: port}}\n")

    result = tree.run("rollback", "app", 2)

    assert result.exit_code == 3
    assert "PORT" in result.stderr
    assert "PORT=1" in tree.env.read_text()


def test_restore_puts_the_last_good_version_back_with_its_mode(tree):
    tree.run("accept", "app")
    tree.env.write_text("broken line\n")
    tree.env.chmod(0o666)

    result = tree.run("restore", "app")

    assert result.exit_code == 0, result.output
    assert "restored version 1" in result.stdout
    assert tree.env.read_text() == ENV
    assert tree.env.stat().st_mode & 0o777 == 0o600


def test_accept_refuses_what_is_not_valid(tree):
    tree.write_env("broken line\n")

    result = tree.run("accept", "app")

    assert result.exit_code == 3
    assert f"{tree.env}:1:1: " in result.stderr
    assert versions(tree) == []


@pytest.mark.parametrize("key", ["state_dir", "config_dir"])
@pytest.mark.parametrize("damage", ["docker: {enabled: 7}\n", "docker: [\n"], ids=str)
def test_damaged_settings_can_be_restored_though_they_say_where_versions_are(tree, damage, key):
    where = f"{key}: {tree.folder / 'elsewhere'}\n"
    tree.settings.write_text(SETTINGS + where)
    tree.run("accept", "homeostat")
    tree.settings.write_text(damage + where)

    result = tree.run("restore", "homeostat")

    assert result.exit_code == 0, result.output
    assert "is not valid now" in result.stderr
    assert tree.settings.read_text() == SETTINGS + where


def test_damaged_settings_stop_the_other_commands(tree):
    tree.settings.write_text("docker: {enabled: 7}\n")

    results = [tree.run(*words) for words in (("get", "app"), ("list",), ("verify",), ("apply", "app=-"))]

    assert [result.exit_code for result in results] == [2] * 4
    assert all("homeostat.yml:1: docker.enabled: 7" in result.stderr for result in results)


def test_settings_that_are_gone_are_restored_from_where_versions_are_by_default(tree):
    tree.run("accept", "homeostat")
    tree.settings.unlink()

    result = tree.run("restore", "homeostat")

    assert result.exit_code == 0, result.output
    assert tree.settings.read_text() == SETTINGS


def test_a_change_of_the_settings_that_homeostat_would_refuse_is_refused(tree):
    result = tree.run("set", "homeostat", "docker.enabled=5")

    assert result.exit_code == 3
    assert "docker.enabled" in result.stderr
    assert tree.settings.read_text() == SETTINGS


def test_apply_changes_several_files_or_none(tree):
    (tree.folder / "good.env").write_text("A=1\n")
    (tree.folder / "bad.yml").write_text("a: [\n")

    refused = tree.run("apply", f"app={tree.folder / 'good.env'}", f"compose={tree.folder / 'bad.yml'}")
    between = (tree.env.read_text(), tree.compose.read_text())
    done = tree.run("apply", f"app={tree.folder / 'good.env'}", "compose=-", stdin="a: 1\n")

    assert refused.exit_code == 3
    assert f"{tree.compose}:" in refused.stderr
    assert between == (ENV, COMPOSE)
    assert done.exit_code == 0, done.output
    assert (tree.env.read_text(), tree.compose.read_text()) == ("A=1\n", "a: 1\n")


def test_apply_does_nothing_to_a_file_that_is_not_as_expected(tree):
    digest = hashlib.sha256(ENV.encode()).hexdigest()
    tree.write_env(ENV + "MORE=1\n")

    refused = [
        tree.run("apply", "app=-", "--expect", each, *dry, stdin="A=1\n")
        for each in (digest, f"app={digest}", "")
        for dry in ((), ("--dry-run",))
    ]

    assert [result.exit_code for result in refused] == [3] * 6
    assert tree.env.read_text() == ENV + "MORE=1\n"


def test_apply_with_the_right_digest_is_done(tree):
    digest = hashlib.sha256(ENV.encode()).hexdigest()

    result = tree.run("apply", "app=-", "--expect", f"app={digest}", stdin="A=1\n")

    assert result.exit_code == 0, result.output
    assert tree.env.read_text() == "A=1\n"


def test_a_dry_run_shows_what_would_change_without_secrets_and_changes_nothing(tree):
    result = tree.run(
        "apply", "app=-", "--dry-run", stdin=ENV.replace("8080", "9090").replace("hunter2-old", "hunter3")
    )

    assert result.exit_code == 1
    assert "+PORT=9090" in result.stdout
    assert "+DB_PASSWORD=*** (changed)" in result.stdout
    assert "hunter" not in result.output
    assert (tree.env.read_text(), versions(tree)) == (ENV, [])
    assert sorted(path.name for path in tree.env.parent.iterdir()) == [".env", "compose.yml"]


def test_a_dry_run_of_what_is_there_already_ends_with_0_and_of_what_is_not_valid_with_3(tree):
    same = tree.run("apply", "app=-", "--dry-run", stdin=ENV)
    bad = tree.run("apply", "app=-", "--dry-run", stdin="broken line\n")

    assert (same.exit_code, bad.exit_code) == (0, 3)
    assert f"{tree.env}:1:1: " in bad.stderr


def test_the_check_program_is_run_by_set_and_by_a_dry_run_and_its_words_are_told(tree):
    check = "[sh, -c, 'grep -q GOOD \"$0\" || { echo no GOOD in it; exit 1; }', '{file}']"
    tree.settings.write_text(SETTINGS.replace("rereads: at_creation", f"check: {check}"))

    refused = tree.run("set", "app", "PORT=1")
    dry = tree.run("apply", "app=-", "--dry-run", stdin=ENV + "X=GOOD\n")
    done = tree.run("set", "app", "X=GOOD")

    assert refused.exit_code == 3
    assert "sh refused it: no GOOD in it" in refused.stderr
    assert "PORT=8080" in tree.env.read_text()
    assert dry.exit_code == 1, dry.output
    assert done.exit_code == 0, done.output


def test_a_file_that_is_not_there_yet_is_made_for_its_owner_alone(tree):
    tree.env.unlink()

    result = tree.run("set", "app", "A=1")

    assert result.exit_code == 0, result.output
    assert tree.env.read_text() == "A=1\n"
    assert tree.env.stat().st_mode & 0o777 == 0o600


def test_what_the_system_refuses_is_told_in_a_line(tree):
    (tree.folder / "state").write_text("a file where a folder is needed")

    results = [tree.run(*words) for words in (("set", "app", "PORT=1"), ("diff", "app"), ("list",), ("verify",))]

    assert [result.exit_code for result in results] == [3] * 4
    for result in results:
        assert str(tree.folder / "state") in result.stderr
        assert "run this as the user who runs homeostat" in result.stderr
        assert "Traceback" not in result.output
    assert tree.env.read_text() == ENV


def test_somebody_who_is_changing_files_is_waited_for_and_named(tree, monkeypatch):
    from cli import config_common
    from homeostat.configfiles import own

    real = own.config_files
    monkeypatch.setattr(config_common, "config_files", lambda *given: real(*given, wait_s=0.05))
    folder = tree.folder / "state" / "config"
    folder.mkdir(parents=True)
    with files.lock(folder / "lock"):
        result = tree.run("set", "app", "PORT=1")

    assert result.exit_code == 3
    assert f"held by process {os.getpid()}" in result.stderr
    assert tree.env.read_text() == ENV
