"""Leaks are as slow as is asked for, and fail aloud."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chaos.faults import FAULTS
from chaos.faults.leaks import LEAKS
from chaos.shop import NativeShop
from homeostat.errors import Permanent


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_uses_up_its_headroom_in_the_time_that_is_asked_for(leak):
    per_s = float(leak.query(20)[leak.rate])

    assert per_s * 20 * 60 == pytest.approx(leak.headroom, rel=1e-3)
    assert 0 < leak.headroom * leak.unit <= leak.limit


def test_what_needs_minutes_is_not_among_the_faults_of_seconds():
    assert not LEAKS.keys() & FAULTS.keys()


@pytest.fixture
async def shop(tmp_path):
    """One that leaks what it is asked to, but for threads; and what it was asked."""
    asked = []

    async def switch(request):
        asked.append((request.path, dict(request.query)))
        return web.Response(status=404 if "thread" in request.path else 200)

    app = web.Application()
    app.add_routes([web.post("/faults/{name}", switch)])
    async with TestServer(app) as server:
        yield NativeShop(tmp_path, server.port, tmp_path / "requests.jsonl"), asked


async def test_the_shop_is_told_its_rate_and_where_to_leak(shop):
    victim, asked = shop

    await LEAKS["heap"].inject(victim, 79)

    assert asked == [("/faults/memory-leak", {"mb_per_s": "0.033333", "where": "heap"})]


async def test_a_shop_without_the_switch_is_no_leak(shop):
    victim, _ = shop

    with pytest.raises(Permanent, match="refused thread-leak: 404; is SHOP_FAULTS=1 set"):
        await LEAKS["threads"].inject(victim, 20)


async def test_a_shop_that_does_not_answer_is_no_leak(tmp_path, free_port):
    with pytest.raises(Permanent, match="does not answer"):
        await LEAKS["fds"].inject(NativeShop(tmp_path, free_port, tmp_path / "log"), 20)
