"""The command line as a user meets it: what `check` finds, what wrong input is told, which exit code it gives."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOMEOSTAT = Path(sys.executable).parent / "homeostat"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def homeostat(tmp_path, servers):
    """Runs `homeostat ARGS` in a folder of its own with a settings file, without any container engine."""

    def run(*arguments, settings="docker: {enabled: false}\n"):
        (tmp_path / "homeostat.yml").write_text(settings)
        environment = {"PATH": f"{servers['amtool'].parent}:/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"}
        return subprocess.run(
            [HOMEOSTAT, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_check_finds_the_shipped_files_good_and_says_that_nobody_is_told(homeostat):
    result = homeostat("check")

    assert result.returncode == 0, result.stderr
    assert "rules, routes and ladders fit together" in result.stdout
    assert "nobody is told" in result.stdout


def test_check_names_file_line_key_and_what_is_allowed(homeostat):
    result = homeostat("check", settings="responder:\n  listen: 0.0.0.0:9802\n")

    assert result.returncode == 2
    assert result.stderr.startswith("homeostat.yml:2: responder.listen: ")
    assert "127.0.0.1" in result.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("prometheus/rules/alerts/availability.yml", "remedy: down", "remedy: dwon", "no ladder for remedy 'dwon'"),
        ("prometheus/rules/alerts/availability.yml", "expr: ", "expr: ((", "promtool"),
        ("alertmanager/alertmanager.yml", 'remedy=~".+"', 'remedy=~"x"', "WorkloadDown goes to people"),
        ("alertmanager/alertmanager.yml", "receiver: people", "receiver: pepole", "amtool"),
    ],
    ids=["remedy without a ladder", "broken expression", "route that misses the responder", "unknown receiver"],
)
async def test_check_finds_what_does_not_fit(tmp_path, servers, monkeypatch, file, old, new, expected):
    from rich.console import Console

    from cli import validate
    from homeostat import rendering
    from homeostat.errors import SettingsError

    for folder in ("prometheus", "alertmanager"):
        shutil.copytree(ROOT / folder, tmp_path / "shipped" / folder)
    broken = tmp_path / "shipped" / file
    text = broken.read_text()
    assert old in text
    broken.write_text(text.replace(old, new))
    (tmp_path / "homeostat.yml").write_text("docker: {enabled: false}\n")
    monkeypatch.setenv("PATH", f"{servers['amtool'].parent}:/usr/bin:/bin")
    monkeypatch.setattr(validate, "ROOT", tmp_path / "shipped")

    with pytest.raises(SettingsError, match=expected):
        await validate.check(tmp_path / "homeostat.yml", Console(quiet=True))
    assert rendering.ROOT == ROOT


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("up", "--settings", "nope.yml"), 2, "no such file"),
        (("up", "--mode", "helm"), 2, "Invalid value"),
        (("restart",), 2, "No such command"),
        (("recoveries",), 3, "does not answer"),
        (("recoveries", "show", "0"), 2, "Invalid value"),
        (("status",), 1, ""),
        (("down", "--mode", "native"), 0, "does not run here"),
    ],
    ids=str,
)
def test_wrong_input_is_explained_without_a_traceback(homeostat, arguments, code, said, free_port):
    ports = "\n".join(
        f"{part}: {{listen: '127.0.0.1:{free_port()}'}}" for part in ("exporter", "responder", "guardian")
    )
    stack = f"stack: {{prometheus: '127.0.0.1:{free_port()}', alertmanager: '127.0.0.1:{free_port()}'}}"
    settings = f"docker: {{enabled: false}}\n{ports}\n{stack}"

    result = homeostat(*arguments, settings=settings)

    assert result.returncode == code, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_processes_are_not_lost_in_containers(homeostat):
    settings = "docker: {enabled: false}\nprocesses: {api: {command: [sleep, '1']}}\n"

    result = homeostat("up", "--mode", "compose", settings=settings)

    assert result.returncode == 3
    assert "--mode native" in result.stderr
