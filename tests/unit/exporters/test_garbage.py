"""No scrape waits for the garbage collector to look through all that was ever loaded."""

import asyncio
import gc
import time

import pytest

from exporters.garbage import SETTLED_S, spare_what_is_loaded


@pytest.fixture(autouse=True)
def as_before():
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


async def test_once_settled_what_is_loaded_is_not_looked_through(clock):
    heap = [[number] for number in range(500_000)]
    task = asyncio.create_task(spare_what_is_loaded(clock))
    await clock.advance(SETTLED_S - 1)
    assert gc.get_freeze_count() == 0
    start = time.perf_counter()
    gc.collect()
    before_s = time.perf_counter() - start
    await clock.advance(1)
    await task
    start = time.perf_counter()
    gc.collect()
    after_s = time.perf_counter() - start

    assert gc.get_freeze_count() >= len(heap)
    assert after_s < before_s / 3


async def test_what_comes_later_is_still_collected(clock):
    task = asyncio.create_task(spare_what_is_loaded(clock))
    await clock.advance(SETTLED_S)
    await task
    circle = []
    circle.append(circle)
    del circle

    assert gc.collect() >= 1
