"""Waiting for the first of several, and to the end in spite of being cancelled."""

import asyncio

import pytest

from guardian.waiting import first, to_the_end


async def after(turns: int, result: str, log: list[str]) -> str:
    try:
        for _ in range(turns):
            await asyncio.sleep(0)
    except asyncio.CancelledError:
        log.append(f"{result} cancelled")
        raise
    return result


async def test_the_first_wins_and_the_others_are_cancelled():
    log: list[str] = []

    assert await first(after(9, "a", log), after(1, "b", log), after(9, "c", log)) == "b"
    assert sorted(log) == ["a cancelled", "c cancelled"]


async def test_of_several_the_leftmost_wins():
    assert await first(after(1, "a", []), after(1, "b", [])) == "a"


async def test_cancelling_the_wait_cancels_all():
    log: list[str] = []
    waiting = asyncio.create_task(first(after(99, "a", log), after(99, "b", log)))
    await asyncio.sleep(0)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert sorted(log) == ["a cancelled", "b cancelled"]


async def test_work_goes_to_its_end_though_cancelled_and_then_the_cancellation_goes_on():
    may_end, done = asyncio.Event(), []

    async def work() -> None:
        await may_end.wait()
        done.append(1)

    waiting = asyncio.create_task(to_the_end(work()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()

    may_end.set()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done == [1]


async def test_a_failure_of_the_work_is_the_callers():
    async def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        await to_the_end(fail())
