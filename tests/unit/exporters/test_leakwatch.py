"""Rounds at their own pace: what fails, what is late, what is kept, and what readers are told meanwhile."""

import asyncio
import contextlib
import threading

import pytest
from blockbuster import blockbuster_ctx
from fakes.leaking import START, WEB, key, reading
from structlog.testing import capture_logs

from exporters import leakseries, leakwatch
from exporters.leaks.assessment import Verdict
from exporters.leakseries import AllSeries
from exporters.leakstate import NAME, StateFile
from exporters.leakwatch import ROUND_S, SAVE_S, STALE_S, LeakWatch
from homeostat.errors import Temporary, Unreachable


class Source:
    """An input that gives a reading of each of ``keys``, or fails as told."""

    def __init__(self, clock, *keys):
        self.clock = clock
        self.keys = keys
        self.failure = None
        self.hold = None
        self.reads = []

    async def __call__(self):
        self.reads.append(self.clock.monotonic())
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        return [reading(each, self.clock.now(), 1e8, work=self.clock.monotonic()) for each in self.keys]


@pytest.fixture
def containers(clock):
    return Source(clock, WEB)


@pytest.fixture
def databases(clock):
    return Source(clock, key(1))


@pytest.fixture
def make_watch(tmp_path, clock, containers, databases):
    """A function that makes one as the exporter would at its start."""
    inputs = {"containers": containers, "databases": databases}
    return lambda: LeakWatch(inputs, StateFile(tmp_path / "state", clock), clock)


@pytest.fixture
def watch(make_watch):
    return make_watch()


@contextlib.asynccontextmanager
async def running(watch, clock):
    task = asyncio.create_task(watch.run())
    await rest(clock)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def rest(clock):
    """Until it waits for its next round: threads and the disk take their time."""
    async with asyncio.timeout(10):
        while not any(not waiter.done() for _, _, waiter in clock._sleepers):
            await asyncio.sleep(0.001)


async def advance(clock, seconds):
    """Round by round."""
    for _ in range(int(seconds / ROUND_S)):
        await clock.advance(ROUND_S)
        await rest(clock)


def told(watch):
    return {row.key for row in watch.snapshot().rows}


async def test_a_round_comes_at_once_and_then_at_its_pace(watch, clock, containers):
    async with running(watch, clock):
        first = list(containers.reads)
        await advance(clock, 60)

    assert first == [0.0]
    assert containers.reads == [0.0, 15.0, 30.0, 45.0, 60.0]


async def test_what_was_read_is_told(watch, clock):
    async with running(watch, clock):
        await advance(clock, 30)
        snapshot = watch.snapshot()

    assert {row.key: row.last_sample for row in snapshot.rows} == {WEB: START + 30, key(1): START + 30}
    assert snapshot.complete_at == START + 30
    assert (snapshot.left_out, snapshot.set_aside) == (0, 0)
    assert {row.assessment.verdict for row in snapshot.rows} == {Verdict.INSUFFICIENT_DATA}


async def test_before_the_first_round_there_is_nothing_to_tell(watch):
    assert watch.snapshot().rows == ()
    assert watch.snapshot().complete_at == START


async def test_an_input_that_fails_does_not_stop_the_other_and_is_said_once(watch, clock, containers):
    containers.failure = Unreachable("the Docker Engine has not answered for 50 s")
    with capture_logs() as logs:
        async with running(watch, clock):
            await advance(clock, 60)
            found = watch.snapshot()

    assert {row.key for row in found.rows} == {key(1)}
    assert found.complete_at == START
    assert [(line["event"], line["input"]) for line in logs] == [("leaks.input_failed", "containers")]
    assert len(containers.reads) == 5


async def test_what_fails_and_works_again_is_said_again_when_it_fails_again(watch, clock, containers):
    with capture_logs() as logs:
        async with running(watch, clock):
            for failure in (RuntimeError("a bug"), None, TimeoutError()):
                containers.failure = failure
                await advance(clock, 30)

    assert [line["error"] for line in logs] == ["RuntimeError('a bug')", "TimeoutError()"]


async def test_what_fails_for_a_moment_is_still_told_of(watch, clock, containers):
    async with running(watch, clock):
        containers.failure = Unreachable("no")
        await advance(clock, 60)
        within = told(watch)
        await advance(clock, 15)
        after = told(watch)

    assert within == {WEB, key(1)}
    assert after == {key(1)}


async def test_an_input_that_hangs_is_left_behind(watch, clock, containers, monkeypatch):
    monkeypatch.setattr(leakwatch, "_PATIENCE_S", 0.05)
    containers.hold = asyncio.Event()
    with capture_logs() as logs:
        async with running(watch, clock):
            await advance(clock, 30)
            found = told(watch)

    assert found == {key(1)}
    assert [line["error"] for line in logs] == ["TimeoutError()"]


async def test_one_failure_is_not_worth_a_word(watch, clock, containers):
    containers.failure = Unreachable("no Docker Engine has answered yet")
    with capture_logs() as logs:
        async with running(watch, clock):
            containers.failure = None
            await advance(clock, 15)
            found = watch.snapshot()

    assert logs == []
    assert found.complete_at == START + 15


async def test_rounds_that_stand_still_are_an_error(watch, clock, containers, databases):
    async with running(watch, clock):
        await advance(clock, 15)
        containers.hold = databases.hold = asyncio.Event()
        await clock.advance(STALE_S)
        assert told(watch) == {WEB, key(1)}
        await clock.advance(15)

        with pytest.raises(Temporary, match="nothing was looked at for leaks for 75 s"):
            watch.snapshot()


async def test_a_round_that_breaks_is_said_and_the_next_one_comes(watch, clock, monkeypatch):
    take, calls = AllSeries.take, []

    def broken_once(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyError("a bug")
        return take(*arguments)

    monkeypatch.setattr(AllSeries, "take", broken_once)
    with capture_logs() as logs:
        async with running(watch, clock):
            await advance(clock, 45)
            found = watch.snapshot()

    assert [line["event"] for line in logs] == ["leaks.round_failed"]
    assert found.complete_at == START + 45


async def test_a_slow_round_is_not_made_up_for(watch, clock, containers):
    async with running(watch, clock):
        containers.hold = asyncio.Event()
        await clock.advance(15)
        clock.elapsed += 40
        containers.hold.set()
        await rest(clock)
        await clock.advance(14)

    assert containers.reads == [0.0, 15.0, 55.0]


async def test_the_loop_is_not_held_up(watch, clock, monkeypatch):
    threads = []
    take = AllSeries.take
    monkeypatch.setattr(
        AllSeries, "take", lambda *arguments: threads.append(threading.current_thread()) or take(*arguments)
    )
    with blockbuster_ctx():
        async with running(watch, clock):
            await advance(clock, SAVE_S + 15)

    assert len(threads) > 20
    assert threading.main_thread() not in threads


async def test_cpu_time_is_counted_by_the_time_of_day(watch, clock):
    """``work`` is one core all the time."""
    async with running(watch, clock):
        await advance(clock, 150)
        curve = watch._everything.loads.curves["shop/web"]

    assert (curve.used_s, curve.seen_s) == (150.0, 150.0)


async def test_it_saves_every_five_minutes_and_at_its_end(watch, clock, tmp_path):
    path = tmp_path / "state" / NAME
    async with running(watch, clock):
        await advance(clock, SAVE_S - 15)
        early = path.exists()
        await advance(clock, 15)
        in_time = path.exists()
        path.unlink()

    assert (early, in_time, path.exists()) == (False, True, True)


async def test_what_is_known_outlasts_a_restart(make_watch, clock):
    first = make_watch()
    async with running(first, clock):
        await advance(clock, 900)
        before = await first.history([WEB, key(1)])
    second = make_watch()
    async with running(second, clock):
        after = await second.history([WEB, key(1)])

    assert set(after) == {WEB, key(1)}
    assert len(before[WEB]) > 10
    assert after == before


async def test_a_corrupt_file_is_set_aside_and_counted(watch, clock, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / NAME).write_text('{"version": ')
    with capture_logs() as logs:
        async with running(watch, clock):
            found = watch.snapshot()

    assert found.set_aside == 1
    assert len(found.rows) == 2
    assert [line["event"] for line in logs] == ["leaks.state_corrupt"]
    assert len(list((tmp_path / "state").iterdir())) == 2


async def test_a_folder_that_nobody_can_write_to_stops_nothing(watch, clock, tmp_path):
    (tmp_path / "state").write_text("a file")
    with capture_logs() as logs:
        async with running(watch, clock):
            await advance(clock, 2 * SAVE_S)
            found = told(watch)

    assert found == {WEB, key(1)}
    assert [line["event"] for line in logs] == ["leaks.state_unreadable", "leaks.state_not_saved"]


async def test_what_there_is_no_room_for_is_said_once(watch, clock, databases, monkeypatch):
    monkeypatch.setattr(leakseries, "MOST_SERIES", 3)
    databases.keys = tuple(key(number) for number in range(5))
    with capture_logs() as logs:
        async with running(watch, clock):
            await advance(clock, 60)
            found = watch.snapshot()

    assert (len(found.rows), found.left_out) == (3, 3)
    assert [(line["event"], line["count"]) for line in logs] == [("leaks.series_left_out", 3)]


async def test_a_state_file_that_is_read_for_long_delays_nobody(make_watch, clock, monkeypatch):
    """It is told to end while it reads: the file must not be replaced by nothing."""
    may_go = threading.Event()
    saved = []
    monkeypatch.setattr(StateFile, "load", lambda _self: (may_go.wait(5), AllSeries())[1])
    monkeypatch.setattr(StateFile, "save", lambda _self, everything: saved.append(everything))
    task = asyncio.create_task(make_watch().run())
    await asyncio.sleep(0.05)
    task.cancel()
    may_go.set()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert saved == []
