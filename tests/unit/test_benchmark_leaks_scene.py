"""How long the live leaks are followed, and which may be asked for."""

import argparse
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.leaks.live import names
from benchmarks.leaks.livescene import Scene, Shop
from chaos.harness import Stack
from chaos.load import Load
from chaos.shop import ComposeShop
from chaos.timeline import Follower
from homeostat.clock import rfc3339
from tests.fakes.clock import FakeClock

MINUTES = 20.0


def compose(name):
    return ComposeShop(f"p-{name}", 1, Path("/nowhere"))


@pytest.fixture
async def scene():
    """A leaking shop and one that does not leak, by virtual time; ``repair`` says when the first is repaired."""
    clock, repaired_at = FakeClock(), []
    onset = clock.now()

    def row(workload, final):
        step = {"id": 1, "at": rfc3339(onset), "kind": "started", "action": "restart", "rung": 2}
        opened = {"workload": workload, "opened_at": rfc3339(onset), "remedy": "leak_exhausting"}
        return {**opened, "alert": "LeakExhausting", "final": final, "entries": [step]}

    async def recoveries(_request):
        is_over = bool(repaired_at) and clock.now() >= repaired_at[0]
        return web.json_response([row("p-fds/web", "verified" if is_over else None)])

    app = web.Application()
    app.add_routes([web.get("/api/v1/recoveries", recoveries)])
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        shops = [Shop("fds", compose("fds"), Load(), onset), Shop("none", compose("none"), Load(), onset)]
        follower = Follower(str(server.make_url("")).rstrip("/"), session, clock)
        said = []
        yield Scene(Stack(Path("/nowhere"), "compose"), shops, follower, session, clock, said.append), repaired_at, said


async def test_it_is_followed_for_a_while_after_the_repair(scene):
    it, repaired_at, said = scene
    start = it.clock.now()
    repaired_at.append(start + 600)

    await it.follow(MINUTES)

    assert 740 <= it.clock.now() - start <= 770
    assert said == ["fds: LeakExhausting open", "fds: LeakExhausting verified"]


async def test_without_a_repair_it_is_followed_until_after_the_exhaustion(scene):
    it, _, _ = scene
    start = it.clock.now()

    await it.follow(MINUTES)

    assert it.clock.now() - start == pytest.approx(MINUTES * 60 + 120, abs=10)


def test_leaks_are_asked_for_by_name_once_each():
    assert names("fds,none,fds") == ("fds", "none")
    with pytest.raises(argparse.ArgumentTypeError, match=r"heaps: allowed: memory, heap, .*, none"):
        names("fds,heaps")
