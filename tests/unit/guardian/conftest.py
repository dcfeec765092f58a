"""A supervisor over processes that a test scripts, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fakes.supervised import World

from guardian.supervise import Supervisor


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
async def running():
    """A function that runs a supervisor until the test ends."""
    tasks: list[asyncio.Task[None]] = []

    def run(supervisor: Supervisor) -> Supervisor:
        tasks.append(asyncio.create_task(supervisor.run()))
        return supervisor

    yield run
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.001)

    return wait
