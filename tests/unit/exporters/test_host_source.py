"""A filesystem that hangs delays one scrape by a moment, and stops nothing else."""

import asyncio
import gc
import threading
import time
from dataclasses import replace

import pytest
from blockbuster import blockbuster_ctx

from exporters.host.sample import Numbers, Place, Reading, Space
from exporters.host.source import HostSource
from homeostat.errors import Temporary

GOOD, BAD, LAST = (Place(f"/{name}", "ext4", False, (f"/{name}",)) for name in ("good", "bad", "last"))
SPACE = Space(4096, 1024, 10, 5)
PATIENCE_S = 0.2


class Reader:
    """A host whose ``/bad`` answers only once ``released``."""

    def __init__(self):
        self.released = threading.Event()
        self.asked = []
        self.read_waits = threading.Event()
        self.read_waits.set()

    def read(self):
        self.read_waits.wait(10)
        return Reading(Numbers(cpus=2))

    def places(self):
        return (GOOD, BAD, LAST)

    def space(self, place):
        self.asked.append((place, threading.current_thread()))
        if place == BAD:
            self.released.wait(10)
        return SPACE


@pytest.fixture
def reader():
    reader = Reader()
    yield reader
    reader.released.set()
    reader.read_waits.set()


async def test_what_answers_is_told_with_what_does_not(reader):
    sample = await HostSource(reader, PATIENCE_S).sample()

    assert sample.reading.numbers.cpus == 2
    assert sample.spaces == {GOOD: SPACE, BAD: None}


async def test_from_the_next_scrape_on_it_delays_nothing_and_hides_no_other(reader):
    source = HostSource(reader, PATIENCE_S)
    await source.sample()
    start = time.monotonic()
    sample = await source.sample()

    assert sample.spaces == {GOOD: SPACE, BAD: None, LAST: SPACE}
    assert time.monotonic() - start < PATIENCE_S


async def test_it_is_asked_once_however_long_it_hangs(reader):
    source = HostSource(reader, PATIENCE_S)
    for _ in range(20):
        await source.sample()

    assert len([place for place, _ in reader.asked if place == BAD]) == 1
    assert len({thread for _, thread in reader.asked}) == 2


async def test_what_the_kernel_makes_readonly_because_it_hangs_is_told_once_and_as_it_is_now(reader):
    source = HostSource(reader, PATIENCE_S)
    await source.sample()
    now = replace(BAD, is_readonly=True)
    reader.places = lambda: (GOOD, now, LAST)
    sample = await source.sample()

    assert sample.spaces == {GOOD: SPACE, now: None, LAST: SPACE}


async def test_what_is_unmounted_while_it_hangs_is_told_no_more(reader):
    source = HostSource(reader, PATIENCE_S)
    await source.sample()
    reader.places = lambda: (GOOD, LAST)

    assert (await source.sample()).spaces == {GOOD: SPACE, LAST: SPACE}


async def test_it_is_told_again_when_it_answers_again(reader):
    source = HostSource(reader, PATIENCE_S)
    await source.sample()
    reader.released.set()
    await asyncio.sleep(0.1)
    sample = await source.sample()

    assert sample.spaces == {GOOD: SPACE, BAD: SPACE, LAST: SPACE}


async def test_the_thread_that_was_left_behind_asks_no_more_and_ends(reader):
    source = HostSource(reader, PATIENCE_S)
    await source.sample()
    left_behind = next(thread for place, thread in reader.asked if place == BAD)
    await source.sample()
    gc.collect()
    reader.released.set()
    left_behind.join(5)

    assert not left_behind.is_alive()
    assert [place for place, thread in reader.asked if thread is left_behind] == [GOOD, BAD]


async def test_a_filesystem_that_may_not_be_seen_is_left_out(reader):
    reader.space = lambda place: None if place == BAD else SPACE
    sample = await HostSource(reader, PATIENCE_S).sample()

    assert sample.spaces == {GOOD: SPACE, LAST: SPACE}


async def test_a_host_that_does_not_even_tell_of_itself_is_a_failure_and_comes_back(reader):
    reader.released.set()
    reader.read_waits.clear()
    source = HostSource(reader, PATIENCE_S)
    with pytest.raises(Temporary, match=r"within 0\.2 s"):
        await source.sample()
    reader.read_waits.set()

    assert (await source.sample()).spaces == {GOOD: SPACE, BAD: SPACE, LAST: SPACE}


async def test_a_mistake_in_reading_is_not_hidden_and_does_not_last(reader):
    reader.released.set()
    reader.places = lambda: 1 / 0
    source = HostSource(reader, PATIENCE_S)
    with pytest.raises(ZeroDivisionError):
        await source.sample()
    del reader.places

    assert len((await source.sample()).spaces) == 3


async def test_nothing_blocks_the_loop(reader):
    reader.released.set()
    source = HostSource(reader)
    with blockbuster_ctx():
        assert await source.sample()
