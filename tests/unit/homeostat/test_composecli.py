"""What ``docker compose`` is asked and what is made of its answers, with a program in its place. The actions in
tests/integration ask the real one.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from homeostat.composecli import ComposeCli, Preview
from homeostat.composefiles import ComposeProject
from homeostat.errors import NotSupported, Permanent, Temporary, Unreachable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program in its place is a shell script")

PROJECT = ComposeProject("shop", (Path("/srv/a.yml"), Path("/srv/b.yml")), (Path("/srv/x.env"),), Path("/srv"))
DOCKER = """#!{python}
import json, os, pathlib, sys, time
folder = pathlib.Path({folder!r})
calls = folder / "calls"
done = calls.read_text().splitlines() if calls.exists() else []
named = sorted(name for name in os.environ if name.startswith(("COMPOSE_", "SHOP_")))
calls.write_text("\\n".join([*done, json.dumps([sys.argv[1:], named])]))
answer = json.loads((folder / "answers").read_text())[len(done)]
print(answer["says"], flush=True)
time.sleep(answer.get("sleeps", 0))
sys.exit(answer.get("code", 0))
"""


class Docker:
    """The n-th call gets the n-th answer: ``{"says", "code", "sleeps"}``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "docker"
        program.write_text(DOCKER.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        self.environ = {"PATH": str(folder), "COMPOSE_FILE": "other.yml", "SHOP_TAG": "1"}

    def cli(self, *answers: dict, host: str | None = None, project: ComposeProject = PROJECT) -> ComposeCli:
        (self.folder / "answers").write_text(json.dumps(answers))
        return ComposeCli(project, host, self.environ)

    @property
    def calls(self) -> list[tuple[list[str], list[str]]]:
        return [tuple(json.loads(line)) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


FILES = "--project-name shop --project-directory /srv --file /srv/a.yml --file /srv/b.yml --env-file /srv/x.env"
UP = "up --no-build --pull never --scale web=2 --detach"


async def test_up_names_project_files_and_service_and_builds_and_pulls_nothing(docker: Docker):
    await docker.cli({"says": ""}).up("web", 2, ("--no-recreate",), 10.0)

    [(words, environ)] = docker.calls
    assert " ".join(words) == f"--context default compose {FILES} {UP} --no-recreate web"
    assert environ == ["SHOP_TAG"]  # what would mean another project is not handed on


async def test_the_engine_is_the_one_that_is_watched(docker: Docker):
    await docker.cli({"says": ""}, host="tcp://10.0.0.1:2375").up("web", 2, (), 10.0)

    assert docker.calls[0][0][:3] == ["--host", "tcp://10.0.0.1:2375", "compose"]


def told(*lines: str) -> dict:
    return {"says": "\n".join(f" DRY-RUN MODE -  Container {line} " for line in lines)}


async def test_a_trial_tells_what_would_be_touched_besides(docker: Docker):
    told_first = told("shop-db-1  Running", "shop-mail-1  Created", "shop-web-1  Running", "shop-web-2  Running")
    preview = await docker.cli(told_first).preview("web", ["shop-web-1", "shop-web-2"], 10.0)

    assert preview == Preview(changed=frozenset(), others=frozenset({"shop-mail-1"}))
    [(words, _)] = docker.calls
    trial = "--dry-run --project-name shop"
    assert " ".join(words).startswith(f"--context default compose {trial}")
    assert " ".join(words).endswith("create --no-build --pull never --scale web=2 web")


async def test_a_container_has_changed_when_it_has_with_and_without_its_dependencies(docker: Docker):
    """A container that was made with --no-deps differs from the files by that alone."""
    full = told(
        "shop-web-1  Recreate", "shop-web-2  Recreate", "shop-web-2  Recreated", "0123456789ab_shop-web-2  Starting"
    )
    alone = told("shop-web-1  Running", "shop-web-2  Recreate")
    preview = await docker.cli(full, alone).preview("web", ["shop-web-1", "shop-web-2"], 10.0)

    assert preview == Preview(changed=frozenset({"shop-web-2"}), others=frozenset())
    assert docker.calls[1][0][-3:] == ["--detach", "--no-deps", "web"]


@pytest.mark.parametrize(
    ("says", "error", "words"),
    [
        (
            "unknown shorthand flag: 'p' in -p\n\nUsage: docker\n",
            NotSupported,
            r"docker compose 2\.18 or newer is needed",
        ),
        ("unknown flag: --dry-run", NotSupported, r"docker compose 2\.18 or newer is needed"),
        ("docker: unknown command: docker compose", NotSupported, r"docker compose 2\.18 or newer is needed"),
        ("Cannot connect to the Docker daemon at unix:///x.", Unreachable, "Cannot connect"),
        (" Container a  Created\nno such service: web\n\n", Permanent, "^docker compose: no such service: web$"),
        ("", Permanent, "it said nothing"),
        ("x" * 5000, Permanent, "^docker compose: x{300}$"),
    ],
)
async def test_a_failure_is_told_in_its_own_last_words(docker: Docker, says: str, error: type, words: str):
    with pytest.raises(error, match=words):
        await docker.cli({"says": says, "code": 1}).up("web", 1, (), 10.0)


async def test_one_that_takes_too_long_is_ended(docker: Docker):
    with pytest.raises(Temporary, match=r"was not done within 2 s and was ended"):
        await docker.cli({"says": "", "sleeps": 60}).up("web", 1, (), 4.0)


async def test_without_time_it_is_not_begun(docker: Docker):
    with pytest.raises(Temporary, match="no time was left"):
        await docker.cli({"says": ""}).up("web", 1, (), 1.0)
    assert not (docker.folder / "calls").exists()


async def test_without_a_docker_program_it_says_what_to_install(tmp_path: Path):
    with pytest.raises(NotSupported, match="no docker program on PATH: install"):
        await ComposeCli(PROJECT, None, {**os.environ, "PATH": str(tmp_path)}).up("web", 1, (), 10.0)
