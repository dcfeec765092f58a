"""One homeostat (native, watching Docker) and one shop (in compose) for all end-to-end tests of a run."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from chaos.harness import Stack, free_ports, working_folder
from chaos.scene import MANY_CAPS, Scene, observe
from chaos.shop import ComposeShop
from homeostat.clock import SystemClock


@pytest.fixture(scope="module")
def watching_stack(servers, engine) -> Iterator[Stack]:
    """homeostat on this host, with the shipped rules and intervals, watching containers."""
    os.environ["HOMEOSTAT_BIN"] = str(servers["prometheus"].parent)
    with working_folder("e2e") as folder:
        stack = Stack(folder, "native", MANY_CAPS)
        stack.configure()
        try:
            asyncio.run(stack.up())
            yield stack
        finally:
            asyncio.run(stack.down())


@pytest.fixture(scope="module")
def shop(watching_stack) -> Iterator[ComposeShop]:
    """The shop, its web service without any restart policy."""
    (port,) = free_ports(1)
    shop = ComposeShop("hse2e", port, watching_stack.workdir / "logs")
    try:
        asyncio.run(shop.up())
        yield shop
    finally:
        asyncio.run(shop.down())


@pytest.fixture
async def scene(watching_stack, shop) -> AsyncIterator[Scene]:
    """Load flows, the shop is well, nothing is being repaired."""
    async with observe(watching_stack, shop, SystemClock()) as scene:
        with contextlib.suppress(Exception):
            await shop.compose("start", "web")  # what an earlier test left stopped
        await scene.wait_until_steady()
        yield scene


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session
