"""One question asked once, whoever gives up waiting."""

import asyncio

import pytest

from exporters.together import Together
from homeostat.errors import Unreachable


class Source:
    """Answers how often it was asked, once it is let."""

    def __init__(self):
        self.asked = 0
        self.let = asyncio.Event()

    async def __call__(self):
        self.asked += 1
        await self.let.wait()
        return self.asked


async def test_those_who_wait_at_the_same_time_share_one_answer():
    source = Source()
    together = Together(source)
    waiting = [asyncio.create_task(together()) for _ in range(3)]
    await asyncio.sleep(0)
    source.let.set()

    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_who_comes_later_asks_anew():
    source = Source()
    source.let.set()
    together = Together(source)

    assert [await together(), await together()] == [1, 2]


async def test_who_gives_up_leaves_the_answer_to_the_others():
    source = Source()
    together = Together(source)
    patient = asyncio.create_task(together())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await together()
    source.let.set()

    assert await patient == 1


async def test_what_hangs_is_not_asked_once_more():
    source = Source()
    together = Together(source)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await together()

    assert source.asked == 1


async def test_a_failure_is_everybodys_and_the_next_one_asks_anew():
    asked = []

    async def fail():
        asked.append(1)
        await asyncio.sleep(0)
        raise Unreachable("no answer")

    together = Together(fail)
    found = await asyncio.gather(together(), together(), return_exceptions=True)

    assert [type(each) for each in found] == [Unreachable, Unreachable]
    with pytest.raises(Unreachable):
        await together()
    assert len(asked) == 2
