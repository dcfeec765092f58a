"""What steps and commands are told in homeostat.yml, where it is right; test_settings.py has the mistakes."""

import json
from pathlib import Path

import pytest

from homeostat import settings
from homeostat.steps import PruneStep, Step, as_data
from homeostat.structure import stored

SOFT = """
state_dir: /srv/homeostat
ladders:
  soft:
    steps:
      - {action: signal, signal: HUP}
      - {action: exec, command: flush}
      - {action: redis_trim, target: ":6379", pattern: "cache:*", idle: 10m, password_file: secrets/redis}
      - {action: redis_trim, target: "cache.internal:6379"}
      - {action: pg_release, target: ":5432/shop", user: releaser, sessions_of: app, password_file: /run/secrets/pg}
      - {action: prune, files: [/var/log/shop/*.log.*, "/srv/homeostat-dumps/**/core.*"], dangling_images: true}
responder:
  commands:
    flush: {argv: [bin/flush, --all]}
    elsewhere: {argv: [flush], cwd: sub}
    inside: {argv: [flush], in_container: true}
"""


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "homeostat.yml"
    path.write_text(SOFT)
    return settings.load(path, {})


def test_a_command_of_this_host_runs_in_the_folder_of_the_settings(loaded, tmp_path):
    commands = loaded.responder.commands

    assert commands["flush"].cwd == tmp_path
    assert commands["elsewhere"].cwd == tmp_path / "sub"
    assert commands["inside"].cwd is None


def test_a_password_file_of_a_step_is_relative_to_the_settings(loaded, tmp_path):
    steps = loaded.ladders["soft"].steps

    assert steps[2].password_file == tmp_path / "secrets/redis"
    assert steps[4].password_file == Path("/run/secrets/pg")


def test_every_soft_step_comes_back_from_the_ledger_as_it_was(loaded):
    for step in loaded.ladders["soft"].steps:
        assert stored(Step, json.loads(json.dumps(as_data(step)))) == step


def test_files_beside_state_dir_may_be_pruned(loaded):
    step = loaded.ladders["soft"].steps[5]

    assert isinstance(step, PruneStep)
    assert step.files == ("/var/log/shop/*.log.*", "/srv/homeostat-dumps/**/core.*")
