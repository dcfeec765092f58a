"""``homeostat config verify``: what it tells of files, versions and the history, and how it ends."""

import json
import os

import pytest
from fakes.configtree import ENV, ConfigTree


@pytest.fixture
def tree(tmp_path):
    found = ConfigTree(tmp_path)
    for name in ("app", "compose", "homeostat"):
        found.run("accept", name)
    return found


def history(tree):
    return tree.folder / "state" / "config" / "files" / "app"


def test_all_good_is_0_and_each_file_is_named(tree):
    result = tree.run("verify")

    assert result.exit_code == 0, result.output
    assert f"{tree.env}: good" in result.stdout
    assert f"{tree.compose}: good" in result.stdout
    assert "app: 1 version, looked at one by one" in result.stdout


def test_a_valid_change_by_others_is_1_with_what_to_do(tree):
    tree.write_env(ENV + "MORE=1\n")

    result = tree.run("verify")

    assert result.exit_code == 1
    assert f"{tree.env}: valid, but changed by others; config diff app" in result.stdout
    assert "config accept app" in result.stdout


def test_every_flaw_has_a_line_with_its_place(tree):
    tree.settings.write_text(tree.settings.read_text().replace("rereads: at_creation", "schema: env.yml"))
    tree.run("accept", "homeostat")
    (tree.folder / "env.yml").write_text("keys: {PORT: {type: port}, DEBUG: {type: boolean}, NEW: {type: string}}\n")
    tree.write_env(ENV.replace("8080", "s3cret").replace("false", "maybe"))

    result = tree.run("verify", "app")

    lines = result.stdout.splitlines()
    assert result.exit_code == 4
    assert {tuple(line.split(": ")[:2]) for line in lines[:3]} == {
        (str(tree.env), "NEW"),
        (f"{tree.env}:2:1", "DEBUG"),
        (f"{tree.env}:5:1", "PORT"),
    }
    assert f"{tree.env}: damaged; config restore app" in result.stdout
    assert "s3cret" not in result.output


def test_of_files_that_are_not_asked_for_nothing_is_told(tree):
    tree.write_env("broken line\n")

    result = tree.run("verify", "compose", "homeostat")

    assert result.exit_code == 0, result.output
    assert str(tree.env) not in result.stdout


@pytest.mark.parametrize("what", ["gone", "folder", "fifo", "link"])
def test_what_is_no_file_is_damaged_and_said_once(tree, what):
    tree.env.unlink()
    if what == "folder":
        tree.env.mkdir()
    elif what == "fifo":
        os.mkfifo(tree.env)
    elif what == "link":
        tree.env.symlink_to(tree.folder / "nowhere")

    result = tree.run("verify", "app")

    assert result.exit_code == 4
    assert result.stdout.startswith(f"{tree.env}: ")
    assert f"{tree.env}: {tree.env}:" not in result.stdout
    assert "config restore app" in result.stdout


def test_of_a_mode_only_the_mode_is_to_be_mended(tree):
    tree.env.chmod(0o644)

    result = tree.run("verify", "app")

    assert result.exit_code == 4
    assert "only its mode is wrong: chmod it" in result.stdout
    assert "config restore" not in result.stdout


def test_a_content_that_is_damaged_or_gone_is_told_though_the_file_is_good(tree):
    tree.run("set", "app", "PORT=1")
    tree.run("set", "app", "PORT=2")
    rows = [json.loads(line) for line in tree.run("history", "app", "--json").stdout.splitlines()]
    first, second = (history(tree) / "objects" / row["digest"] for row in reversed(rows[1:]))
    first.write_bytes(b"x")
    second.unlink()

    result = tree.run("verify", "app")

    assert result.exit_code == 4
    assert f"{tree.env}: good" in result.stdout
    assert "version 1: its content is gone or damaged" in result.stdout
    assert "version 2: its content is gone or damaged" in result.stdout
    assert "version 3" not in result.stdout


def test_a_damaged_line_of_the_history_is_told_with_its_number(tree):
    tree.run("set", "app", "PORT=1")
    manifest = history(tree) / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes().replace(b"accepted", b"changed!", 1))

    result = tree.run("verify", "app")

    assert result.exit_code == 4
    assert f"{manifest}:1: is damaged; 1 content kept of which it is not known who made them" in result.stdout


def test_a_history_that_is_gone_is_told_and_the_file_can_be_restored(tree):
    (history(tree) / "manifest.jsonl").unlink()
    tree.write_env("broken line\n")

    result = tree.run("verify", "app")
    restored = tree.run("restore", "app")

    assert result.exit_code == 4
    assert "manifest.jsonl: is gone; 1 content kept" in result.stdout
    assert restored.exit_code == 0, restored.output
    assert tree.env.read_text() == ENV


def test_a_change_that_was_cut_off_is_told(tree):
    pending = tree.folder / "state" / "config" / "pending"
    pending.mkdir(exist_ok=True)
    (pending / "0123.json").write_text("[]")

    unfinished = tree.run("verify", "app")
    (pending / "0123.json").rename(pending / "0123.damaged")
    damaged = tree.run("verify", "app")

    assert (unfinished.exit_code, damaged.exit_code) == (1, 4)
    assert "0123.json: a change was cut off" in unfinished.stdout
    assert "0123.damaged: a change was cut off and cannot be completed" in damaged.stdout


def test_a_name_that_is_not_managed_is_told(tree):
    result = tree.run("verify", "nope")

    assert result.exit_code == 3
    assert "nope: no such managed file; allowed: app, compose, homeostat" in result.stderr
