"""homeostat.yml is a managed file by the same code."""

import pytest

from homeostat import settings as settings_file
from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.edits import Set
from homeostat.configfiles.own import OWN, config_files


@pytest.fixture
def opened(tmp_path):
    """A function that writes homeostat.yml and opens what it manages, and itself."""
    path = tmp_path / "homeostat.yml"

    def open_it(text, **environ):
        path.write_text(text)
        return config_files(settings_file.load(path), path, environ=environ)

    return open_it


def test_it_is_managed_beside_those_that_it_names(opened, tmp_path):
    files = opened(f"state_dir: {tmp_path}/state\nconfig_files:\n  web: {{path: {tmp_path}/web.env}}\n")

    assert set(files.specs) == {OWN, "web"}
    assert files.spec(OWN).path == tmp_path / "homeostat.yml"
    assert files.folder == tmp_path / "state" / "config"


def test_a_setting_that_is_not_allowed_is_refused_with_its_words_and_one_that_is_is_written(opened, tmp_path):
    files = opened(f"state_dir: {tmp_path}/state # here\n")

    with pytest.raises(Invalid, match="responder"):
        files.edit(OWN, [Set(("responder",), "nonsense")], "me", "")
    files.edit(OWN, [Set(("config_dir",), f"{tmp_path}/versions")], "me", "")

    assert (tmp_path / "homeostat.yml").read_text() == (
        f"state_dir: {tmp_path}/state # here\nconfig_dir: {tmp_path}/versions\n"
    )


def test_checking_it_changes_nothing_of_what_was_parsed(opened, tmp_path):
    files = opened(f"state_dir: {tmp_path}/state\n")
    schema = files.schema_of(files.spec(OWN))
    data = {"state_dir": str(tmp_path), "config_files": {"web": {"path": "web.env"}}}

    assert schema.check(data) == ()
    assert data == {"state_dir": str(tmp_path), "config_files": {"web": {"path": "web.env"}}}


def test_without_a_file_nothing_but_what_is_set_is_managed(tmp_path):
    assert OWN not in config_files(settings_file.Settings(), None).specs
