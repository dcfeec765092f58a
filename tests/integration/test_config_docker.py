"""Containers that read managed files, on the real engine: what they see after a file was replaced, what they have
started with, and whether docker compose would make them anew.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.composed import REDIS, Composed, Scene, docker, scene_of
from fakes.managed import BAD, GOOD, OTHER, Hands, managed

from exporters.configreaders import ConfigReaders, Reader
from exporters.configredeploy import Redeploy
from exporters.configwatch import ConfigWatch
from homeostat.clock import Clock, SystemClock
from homeostat.configfiles.integrity import State
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.spec import Rereads
from homeostat.sections import DockerSettings

pytestmark = pytest.mark.docker


@pytest.fixture
async def scene(engine: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene_of(Composed(tmp_path), tmp_path) as scene:
        yield scene


def files_of(scene: Scene, clock: Clock, **spec: Any) -> ConfigFiles:
    """``web.env`` in a folder of its own, read by the service ``web``."""
    folder = scene.project.folder / "conf"
    folder.mkdir()
    return managed(folder, clock, workloads=(scene.project.id("web"),), **spec)


def readers_of(scene: Scene, watch: ConfigWatch, redeploy: Redeploy | None = None) -> ConfigReaders:
    async def nobody() -> list[Any]:
        return []

    return ConfigReaders(watch, watch.clock, scene.engine.list, nobody, redeploy)


async def reader(readers: ConfigReaders) -> Reader:
    [found] = await readers._round()
    return found


# --- A file that is replaced on the host


@pytest.fixture
def clock() -> Hands:
    return Hands()


async def is_stale(scene: Scene, files: ConfigFiles, clock: Hands) -> bool | None:
    return (await reader(readers_of(scene, ConfigWatch(files, clock)))).is_stale


def seen(container_id: str) -> bytes:
    return docker("exec", container_id, "cat", "/app/web.env").encode() + b"\n"


async def test_a_file_that_is_mounted_by_itself_is_stale_from_being_replaced_to_a_restart(scene: Scene, clock: Hands):
    files = files_of(scene, clock)
    scene.project.up({"web": {**REDIS, "volumes": [f"{files.spec('web').path}:/app/web.env:ro"]}})
    told = [await is_stale(scene, files, clock)]
    files.write({"web": OTHER}, "cli", "set")
    told.append(await is_stale(scene, files, clock))
    content = seen((await scene.one("web")).id)

    scene.project.compose("restart", "web")
    told.append(await is_stale(scene, files, clock))

    assert told == [False, True, False]
    assert (content, seen((await scene.one("web")).id)) == (GOOD, OTHER)


@pytest.mark.parametrize("way", ["its folder is mounted", "it is written in place"])
async def test_it_is_not_where(way: str, scene: Scene, clock: Hands):
    files = files_of(scene, clock, in_place=way == "it is written in place")
    path = files.spec("web").path
    mount = f"{path}:/app/web.env:ro" if files.spec("web").in_place else f"{path.parent}:/app:ro"
    scene.project.up({"web": {**REDIS, "volumes": [mount]}})
    files.write({"web": OTHER}, "cli", "set")

    assert await is_stale(scene, files, clock) is False
    assert seen((await scene.one("web")).id) == OTHER


async def test_of_a_container_that_does_not_mount_it_nothing_is_said(scene: Scene, clock: Hands):
    files = files_of(scene, clock)
    scene.project.up({"web": REDIS})

    assert await is_stale(scene, files, clock) is None


# --- What a container has started with


async def judged(watch: ConfigWatch, state: State) -> None:
    """Rounds until this is said of the file."""
    async with asyncio.timeout(10):
        while not any(each.integrity and each.integrity.state is state for each in watch.reports()):
            await asyncio.to_thread(watch.round)
            await asyncio.sleep(0.05)


async def test_who_was_restarted_while_it_was_damaged_is_outdated_until_the_next_restart(scene: Scene):
    files = files_of(scene, SystemClock(), settle=0.2)
    watch = ConfigWatch(files, SystemClock())
    readers = readers_of(scene, watch)
    scene.project.up({"web": {**REDIS, "volumes": [f"{files.spec('web').path.parent}:/app:ro"]}})
    await judged(watch, State.GOOD)
    told = [(await reader(readers)).is_outdated]

    files.spec("web").path.write_bytes(BAD)
    await judged(watch, State.DAMAGED)
    scene.project.compose("restart", "web")
    told.append((await reader(readers)).is_outdated)
    files.restore("web", "responder", "damaged")
    await judged(watch, State.GOOD)
    told.append((await reader(readers)).is_outdated)
    # As a restarted exporter knows it.
    again = ConfigWatch(files, SystemClock())
    await judged(again, State.GOOD)
    told.append((await reader(readers_of(scene, again))).is_outdated)
    scene.project.compose("restart", "web")
    told.append((await reader(readers)).is_outdated)

    assert told == [False, None, True, True, False]


# --- What compose would make of it


async def needs(scene: Scene, files: ConfigFiles, redeploy: Redeploy) -> bool | None:
    """When nothing has changed for a while."""
    readers = readers_of(scene, ConfigWatch(files, redeploy.clock), redeploy)
    for _ in range(3):
        found = await reader(readers)
        redeploy.clock.advance(11.0)
    return found.needs_redeploy


async def test_a_container_needs_to_be_made_anew_when_what_compose_reads_says_something_else(
    scene: Scene, clock: Hands
):
    env = scene.project.folder / ".env"
    env.write_text("A=1\nUNUSED=1\n")
    files = files_of(scene, clock, rereads=Rereads.AT_CREATION)
    files = replace(files, specs={"web": replace(files.spec("web"), path=env)})
    scene.project.up({"web": {**REDIS, "environment": {"A": "${A}"}}})
    redeploy = Redeploy(DockerSettings(), clock)
    told = [await needs(scene, files, redeploy)]

    env.write_text("# a comment, and a value that nobody uses\nA=1\nUNUSED=22\n")
    told.append(await needs(scene, files, redeploy))
    env.write_text("A=2\nUNUSED=1\n")
    told.append(await needs(scene, files, redeploy))
    before = await scene.one("web")
    scene.project.compose("up", "--detach")
    told.append(await needs(scene, files, redeploy))

    assert told == [False, False, True, False]
    assert (await scene.one("web")).id != before.id


async def test_asking_changes_nothing(scene: Scene, clock: Hands):
    env = scene.project.folder / ".env"
    env.write_text("A=1\n")
    files = files_of(scene, clock, rereads=Rereads.AT_CREATION)
    files = replace(files, specs={"web": replace(files.spec("web"), path=env)})
    scene.project.up({"web": {**REDIS, "environment": {"A": "${A}"}}})
    before = await scene.one("web")
    env.write_text("A=2\n")

    assert await needs(scene, files, Redeploy(DockerSettings(), clock)) is True
    assert await scene.one("web") == before
