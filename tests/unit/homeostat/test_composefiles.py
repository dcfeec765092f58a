"""Where compose's files are, and whose word is taken for it."""

import dataclasses
import os
import sys
from pathlib import Path

import pytest
from fakes.containers import container

from homeostat.composefiles import ComposeProject, find_project
from homeostat.errors import NotSupported
from homeostat.sections import ComposeFiles, DockerSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="who owns files is not known there")

AS_ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
PREFIX = "com.docker.compose.project"


def labelled(*files: Path | str, folder: Path | None = None, env_files: tuple[Path, ...] = ()):
    labels = {f"{PREFIX}.config_files": ",".join(map(str, files))}
    labels |= {f"{PREFIX}.working_dir": str(folder)} if folder else {}
    labels |= {f"{PREFIX}.environment_file": ",".join(map(str, env_files))} if env_files else {}
    made = container()
    return dataclasses.replace(made, labels={**made.labels, **labels})


def write(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.write_text("")
        path.chmod(0o644)
    return paths


def problem(made, docker: DockerSettings | None = None) -> str:
    with pytest.raises(NotSupported) as caught:
        find_project(made, docker or DockerSettings())
    return str(caught.value)


def test_they_are_where_the_labels_say(tmp_path: Path):
    first, second, env = write(tmp_path, "a.yml", "b.yml", "x.env")

    found = find_project(labelled(first, second, folder=tmp_path, env_files=(env,)), DockerSettings())

    assert found == ComposeProject("shop", (first, second), (env,), tmp_path)


def test_or_where_homeostat_yml_says_whoever_owns_them(tmp_path: Path):
    (given,) = write(tmp_path, "given.yml")
    given.chmod(0o666)
    docker = DockerSettings(compose={"shop": ComposeFiles(files=(given,))})

    assert find_project(labelled("/nowhere.yml"), docker) == ComposeProject("shop", (given,))


def test_what_homeostat_yml_names_has_to_be_there(tmp_path: Path):
    docker = DockerSettings(compose={"shop": ComposeFiles(files=(tmp_path / "gone.yml",))})

    assert problem(labelled("/nowhere.yml"), docker) == f"docker.compose.shop: {tmp_path}/gone.yml: no such file"


def test_a_container_that_compose_did_not_make_has_none():
    assert problem(container(project="")) == "shop-web-1 was not made by docker compose"
    assert problem(container()) == "shop-web-1 does not say which files project shop was made from"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("-", "is no absolute path"),
        ("compose.yml", "is no absolute path"),
        ("{folder}/gone.yml", r"cannot be read here \(No such file or directory\)"),
        ("{folder}", "is no plain file"),
        ("{folder}/link.yml", "is no plain file"),
    ],
)
def test_what_is_no_file_of_this_host_is_told(tmp_path: Path, name: str, words: str):
    (plain,) = write(tmp_path, "plain.yml")
    (tmp_path / "link.yml").symlink_to(plain)

    with pytest.raises(NotSupported, match=words + r".*; or name its files in docker\.compose\.shop of homeostat\.yml"):
        find_project(labelled(name.format(folder=tmp_path)), DockerSettings())


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_file_that_others_can_write_is_not_used(tmp_path: Path, mode: int):
    (path,) = write(tmp_path, "a.yml")
    path.chmod(mode)

    assert f"project shop: {path}: can be written by others; allowed: by its owner only" in problem(labelled(path))


def test_nor_is_one_in_a_folder_where_others_can_replace_it(tmp_path: Path):
    folder = tmp_path / "open"
    folder.mkdir()
    (path,) = write(folder, "a.yml")
    folder.chmod(0o777)

    assert f"{path}: its folder {folder} can be written by others" in problem(labelled(path))
    folder.chmod(0o1777)  # as /tmp is: nobody can replace what is not his
    assert find_project(labelled(path), DockerSettings()).files == (path,)


def test_nor_is_one_that_a_link_leads_to_from_there(tmp_path: Path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    real = tmp_path / "real"
    real.mkdir()
    write(real, "a.yml")
    (tmp_path / "open" / "link").symlink_to(real)
    (tmp_path / "sound").symlink_to(real)

    assert "can be written by others" in problem(labelled(tmp_path / "open" / "link" / "a.yml"))
    find_project(labelled(tmp_path / "sound" / "a.yml"), DockerSettings())


@AS_ROOT
def test_nor_is_one_of_somebody_else(tmp_path: Path):
    (path,) = write(tmp_path, "a.yml")
    os.chown(path, 1234, 1234)

    words = f"{path}: belongs to user 1234; allowed: root and the responder's own user; or name its files in"
    assert words in problem(labelled(path))


@pytest.mark.parametrize("is_named", [True, False], ids=["named by the label", "read by itself"])
def test_files_of_variables_are_looked_at_as_well(tmp_path: Path, is_named: bool):
    path, env = write(tmp_path, "a.yml", ".env")
    env.chmod(0o666)

    words = problem(labelled(path, folder=tmp_path, env_files=(env,) if is_named else ()))

    assert f"{env}: can be written by others" in words
