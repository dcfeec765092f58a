"""When docker compose is asked whether it would make containers anew, with a program in its place, and what is made of
its answers. tests/integration/test_config_docker.py asks the real one.
"""

import sys

import pytest
from fakes.managed import OTHER, Hands, managed
from structlog.testing import capture_logs

from exporters.configredeploy import Redeploy
from homeostat.configfiles.spec import Rereads
from homeostat.sections import ComposeFiles, DockerSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program in its place is a shell script")

DOCKER = """#!/bin/sh
echo "$*" >> "{folder}/calls"
if [ -e "{folder}/broken" ]; then echo "no such service" >&2; exit 1; fi
for name in $(cat "{folder}/changed"); do echo "DRY-RUN MODE -  Container $name  Recreate"; done
"""


class Compose:
    """``changed``: names of containers that it would make anew."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "docker").write_text(DOCKER.format(folder=folder))
        (folder / "docker").chmod(0o755)
        (folder / "compose.yml").write_text("{}")
        self.changed()

    def changed(self, *names):
        (self.folder / "changed").write_text(" ".join(names))

    def is_broken(self, *, is_broken=True):
        (self.folder / "broken").touch() if is_broken else (self.folder / "broken").unlink()

    @property
    def asked(self):
        """Services, in order; each call once, though there may be two programs in it."""
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [line.rpartition(" ")[2] for line in lines if " create " in line]


@pytest.fixture
def compose(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Compose(tmp_path)


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def redeploy(compose, clock, tmp_path):
    given = ComposeFiles(files=(tmp_path / "compose.yml",))
    return Redeploy(DockerSettings(compose={"shop": given}), clock)


@pytest.fixture
def files(tmp_path, clock):
    return managed(tmp_path, clock, workloads=("shop/web",), rereads=Rereads.AT_CREATION)


async def look(redeploy, files, containers, clock, seconds=0.0):
    """What is said of each container after rounds for so long."""
    for _ in range(int(seconds // 5.0) + 1):
        await redeploy.look(files.specs, containers)
        clock.advance(5.0)
    return [redeploy.of(files.spec("web"), each) for each in containers]


async def test_nothing_is_known_before_it_was_asked_and_it_is_asked_when_all_is_still(
    redeploy, files, compose, clock, make
):
    web, other = make("shop-web-1"), make("shop-web-2")
    compose.changed("shop-web-1")

    assert await look(redeploy, files, [web, other], clock, 5.0) == [None, None]
    assert compose.asked == []
    assert await look(redeploy, files, [web, other], clock) == [True, False]


async def test_while_nothing_changes_it_is_not_asked_again_for_half_an_hour(redeploy, files, compose, clock, make):
    web = make("shop-web-1")
    await look(redeploy, files, [web], clock, 1700.0)
    assert compose.asked == ["web"]

    compose.changed("shop-web-1")  # by a file that nobody manages

    assert await look(redeploy, files, [web], clock, 200.0) == [True]
    assert compose.asked == ["web", "web"]


async def test_a_changed_file_is_asked_about_when_it_is_still_and_the_old_answer_holds_so_long(
    redeploy, files, compose, clock, make
):
    web = make("shop-web-1")
    await look(redeploy, files, [web], clock, 15.0)
    compose.changed("shop-web-1")
    files.spec("web").path.write_bytes(OTHER)

    assert await look(redeploy, files, [web], clock, 5.0) == [False]
    assert await look(redeploy, files, [web], clock, 5.0) == [True]
    assert compose.asked == ["web", "web"]


async def test_of_a_container_that_was_made_anew_nothing_is_known_yet(redeploy, files, compose, clock, make):
    web = make("shop-web-1")
    compose.changed("shop-web-1")
    assert await look(redeploy, files, [web], clock, 15.0) == [True]
    compose.changed()

    anew = make("shop-web-1", id="b" * 64)

    assert await look(redeploy, files, [anew], clock, 5.0) == [None]
    assert await look(redeploy, files, [anew], clock, 10.0) == [False]


async def test_compose_that_fails_is_said_and_nothing_is_known(redeploy, files, compose, clock, make):
    web = make("shop-web-1")
    compose.changed("shop-web-1")
    await look(redeploy, files, [web], clock, 15.0)
    compose.is_broken()
    files.spec("web").path.write_bytes(OTHER)
    with capture_logs() as logs:
        told = await look(redeploy, files, [web], clock, 100.0)

    assert told == [None]
    assert [(each["event"], each["workload"]) for each in logs] == [("config.redeploy_unknown", "shop/web")]
    assert "no such service" in logs[0]["error"]


async def test_one_program_in_a_round_and_the_one_that_waits_longest_first(redeploy, compose, clock, tmp_path, make):
    files = managed(tmp_path, clock, workloads=("shop/web", "shop/api"), rereads=Rereads.AT_CREATION)
    web, api = make("shop-web-1"), make("shop-api-1")
    await look(redeploy, files, [web], clock)
    await look(redeploy, files, [web, api], clock)
    clock.advance(60.0)  # by now both have been still for long enough
    asked = []
    for _ in range(3):
        await look(redeploy, files, [web, api], clock)
        asked.append(compose.asked)

    assert asked == [["web"], ["web", "api"], ["web", "api"]]


async def test_files_that_compose_does_not_read_are_never_asked_about(redeploy, compose, clock, tmp_path, make):
    files = managed(tmp_path, clock, workloads=("shop/web",), rereads=Rereads.AT_START)

    assert await look(redeploy, files, [make("shop-web-1")], clock, 60.0) == [None]
    assert compose.asked == []


async def test_a_service_without_containers_is_not_asked_about(redeploy, files, compose, clock, make):
    await look(redeploy, files, [make("shop-db-1")], clock, 60.0)

    assert compose.asked == []
