"""The clock's state: the kernel's word, and the engine's clock beside ours."""

import asyncio
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.collectors.clock import ClockCollector
from exporters.host.engineclock import EngineClock, Skew
from exporters.host.timex import ask_kernel, system_adjtimex
from homeostat import enginejson
from homeostat.encoder import render
from homeostat.errors import Unreachable

START = 1_800_000_000.0


def kernel(state=0, status=0, offset=0, max_error=0):
    """An adjtimex that says this."""

    def adjtimex(timex):
        timex.status, timex.offset, timex.maxerror = status, offset, max_error
        return state

    return adjtimex


class Told:
    """An engine whose clock is ahead by this, and which takes a while to say so."""

    def __init__(self, clock, ahead=0.0, takes=0.0):
        self.clock, self.ahead, self.takes, self.asked, self.is_down = clock, ahead, takes, 0, False

    async def __call__(self):
        self.asked += 1
        if self.is_down:
            raise Unreachable("no Docker Engine answers")
        self.clock.elapsed += self.takes / 2
        moment = self.clock.now() + self.ahead
        self.clock.elapsed += self.takes / 2
        return moment


async def collected(engine=None, adjtimex=None):
    text = render(await ClockCollector(engine, adjtimex).collect()).decode()
    return {
        (sample.name.removeprefix("homeostat_host_clock_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_synchronized_clock_tells_offset_and_error_in_seconds():
    found = await collected(adjtimex=kernel(status=0x2001, offset=-1_500_000, max_error=23_000))

    assert found == {("synchronized",): 1, ("offset_seconds", "ntp"): -0.0015, ("max_error_seconds", "ntp"): 0.023}


async def test_a_kernel_that_counts_in_microseconds_is_understood():
    found = await collected(adjtimex=kernel(status=0x1, offset=2_500))

    assert found["offset_seconds", "ntp"] == 0.0025


async def test_a_clock_that_nobody_keeps_is_told():
    found = await collected(adjtimex=kernel(state=5, status=0x40, max_error=16_000_000))

    assert found["synchronized",] == 0
    assert found["max_error_seconds", "ntp"] == 16


async def test_a_leap_second_is_no_trouble():
    assert (await collected(adjtimex=kernel(state=3)))["synchronized",] == 1


async def test_a_kernel_that_may_not_be_asked_says_nothing():
    assert await collected(adjtimex=kernel(state=-1)) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex")
def test_the_real_kernel_answers_and_keeps_its_settings():
    adjtimex = system_adjtimex()
    first, second = ask_kernel(adjtimex), ask_kernel(adjtimex)

    assert first.is_synchronized == second.is_synchronized
    assert 0 <= first.max_error_s < 60
    assert abs(first.offset_s) <= 0.5  # the kernel takes no more (MAXPHASE)


async def test_the_engines_clock_is_compared_with_ours_at_the_middle_of_the_call(clock):
    engine = EngineClock(Told(clock, ahead=-7.5, takes=0.5), clock)
    await engine.refresh()
    found = await collected(engine)

    assert found == {("offset_seconds", "docker"): -7.5, ("max_error_seconds", "docker"): 0.25}


async def test_before_the_first_answer_nothing_is_said(clock):
    assert await collected(EngineClock(Told(clock), clock)) == {}


async def test_the_engine_is_asked_once_a_minute_however_often_we_are(clock):
    told = Told(clock)
    engine = EngineClock(told, clock)
    running = asyncio.create_task(engine.run())
    for _ in range(100):
        await clock.advance(1.9)
        await collected(engine)
    running.cancel()

    assert told.asked == 4


async def test_an_answer_that_is_three_minutes_old_is_none(clock):
    told = Told(clock, ahead=3)
    engine = EngineClock(told, clock)
    running = asyncio.create_task(engine.run())
    await clock.advance(1)
    told.is_down = True
    await clock.advance(178)
    before = engine.skew()
    await clock.advance(2)
    after = engine.skew()
    told.is_down = False
    await clock.advance(60)
    running.cancel()

    assert (before, after, engine.skew()) == (Skew(3, 0), None, Skew(3, 0))


async def test_an_engine_that_hangs_is_given_up(clock, monkeypatch):
    monkeypatch.setattr("exporters.host.engineclock._TIMEOUT_S", 0.05)

    async def never():
        await asyncio.Event().wait()

    engine = EngineClock(never, clock)
    await engine.refresh()

    assert engine.skew() is None


@pytest.mark.parametrize("answer", [{}, [], None, {"SystemTime": ""}, {"SystemTime": "soon"}, {"SystemTime": 7}])
def test_an_engine_that_does_not_tell_its_time_is_an_error(answer):
    with pytest.raises(ValueError, match=r"SystemTime|information|isoformat"):
        enginejson.system_time(answer)


def test_the_engines_time_has_nanoseconds_and_a_zone():
    answer = {"SystemTime": "2027-01-15T09:00:00.123456789+01:00"}

    assert enginejson.system_time(answer) == pytest.approx(START + 0.123457, abs=1e-5)
