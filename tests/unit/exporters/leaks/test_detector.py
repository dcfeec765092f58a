"""What the detector says of series whose truth is known."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from exporters.leaks import reasons
from exporters.leaks.assessment import Assessment, Sample, Verdict
from exporters.leaks.detector import Detector

START, HOUR, DAY = 1.7e9, 3600.0, 86400.0
LIMIT = 1e9
#: Value by seconds since the start.
Curve = Callable[[float], float]


@dataclass
class Watched:
    """A detector and what it says, minute by minute."""

    detector: Detector
    at: float = START

    def follow(
        self, curve: Curve, seconds: float, *, step_s: float = 60.0, limit: float | None = LIMIT, since: float = START
    ) -> Iterator[Assessment]:
        """``curve`` begins at ``since``, which is when the container started."""
        end = self.at + seconds
        while self.at < end:
            self.detector.feed(Sample(self.at, curve(self.at - since), limit, since))
            if self.at % 60 < step_s:
                yield self.detector.assess(self.at)
            self.at += step_s

    def last(self, curve: Curve, seconds: float, **options: float) -> Assessment:
        return list(self.follow(curve, seconds, **options))[-1]


@pytest.fixture
def watched() -> Watched:
    return Watched(Detector())


def noisy(curve: Curve, noise: float = 4e6) -> Curve:
    rng = random.Random(1)
    return lambda seconds: curve(seconds) + rng.gauss(0, noise)


def leaking(onset_s: float, exhausted_s: float, base: float = 3e8) -> Curve:
    """Flat, and then to the limit."""
    rate = (LIMIT - base) / (exhausted_s - onset_s)
    return noisy(lambda seconds: base + max(0.0, seconds - onset_s) * rate)


HEALTHY: dict[str, Curve] = {
    "flat": noisy(lambda _: 5e8),
    "daily": noisy(lambda s: 4.5e8 - 1.5e8 * math.cos(s / DAY * math.tau)),
    "collected every 2 h": noisy(lambda s: 3e8 + 3e8 * (s % (2 * HOUR)) / (2 * HOUR)),
    "warm-up": noisy(lambda s: 1e8 + 5e8 * (1 - math.exp(-s / (3 * HOUR)))),
    "slow fragmentation": noisy(lambda s: 3e8 + 1.5e8 * math.sqrt(s / (4 * DAY))),
    "three steps": noisy(lambda s: 3e8 + 1.2e8 * sum(s > at * DAY for at in (0.7, 1.9, 2.8))),
    "a spike": noisy(lambda s: 3e8 + (5e8 if 1.5 * DAY < s < 1.5 * DAY + 1800 else 0)),
    "a ramp to a plateau": noisy(lambda s: 3e8 + 2e8 * min(1.0, max(0.0, (s - DAY) / (4 * HOUR)))),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_series_raises_nothing(watched: Watched, name: str):
    verdicts = {said.verdict for said in watched.follow(HEALTHY[name], 4 * DAY)}

    assert not any(verdict.is_alarm for verdict in verdicts)
    assert verdicts & {Verdict.HEALTHY}


@pytest.mark.parametrize(
    ("onset_s", "exhausted_s", "share"),
    [
        # Load peaks and jobs are as fast as these: they have to have come far.
        (2 * HOUR, 2.5 * HOUR, 0.85),
        (DAY, DAY + 6 * HOUR, 0.8),
        (2 * DAY, 3 * DAY, 0.5),
        (DAY, 4 * DAY, 0.5),
        (2 * DAY, 9 * DAY, 0.4),
    ],
)
def test_a_leak_is_found_long_before_its_end(watched: Watched, onset_s: float, exhausted_s: float, share: float):
    step_s = 15.0 if exhausted_s - onset_s < HOUR else 60.0
    said = watched.follow(leaking(onset_s, exhausted_s), exhausted_s, step_s=step_s)

    found = next(one for one in said if one.verdict.is_alarm)

    after_s = watched.at - START - onset_s
    assert 0 < after_s < share * (exhausted_s - onset_s)
    assert found.exhaustion is not None
    assert found.exhaustion - watched.at == pytest.approx(exhausted_s - (watched.at - START), rel=0.25)


def test_an_alarm_says_how_fast_since_when_and_how_sure(watched: Watched):
    rate = 7e8 / (3 * DAY)
    found = next(one for one in watched.follow(leaking(DAY, 4 * DAY), 4 * DAY) if one.verdict.is_alarm)

    assert found.slope == pytest.approx(rate, rel=0.1)
    assert 0 < found.slope_low <= found.slope <= found.slope_high < 1.5 * rate
    assert found.exhaustion_cautious is not None
    assert found.exhaustion is not None
    assert watched.at < found.exhaustion_cautious <= found.exhaustion
    assert found.onset is not None
    assert START < found.onset < watched.at
    assert 0.5 < found.confidence <= 1.0
    assert (found.limit, found.reasons[0]) == (LIMIT, reasons.STEADY_GROWTH)


def test_an_alarm_lasts_until_the_end_and_becomes_urgent(watched: Watched):
    verdicts = [said.verdict for said in watched.follow(leaking(12 * HOUR, 36 * HOUR), 36 * HOUR - 60)]

    first = next(index for index, verdict in enumerate(verdicts) if verdict.is_alarm)
    assert all(verdict.is_alarm for verdict in verdicts[first:])
    assert verdicts[-1] is Verdict.EXHAUSTING


def test_a_leak_whose_memory_was_given_back_is_over_at_once(watched: Watched):
    curve = leaking(12 * HOUR, 36 * HOUR)
    assert watched.last(curve, 28 * HOUR).verdict.is_alarm

    after = watched.last(noisy(lambda _: 3.2e8), 180)

    assert not after.verdict.is_alarm


def test_a_leak_that_was_mended_is_over_after_a_while(watched: Watched):
    assert watched.last(leaking(12 * HOUR, 36 * HOUR), 28 * HOUR).verdict.is_alarm

    after = watched.last(noisy(lambda _: 7.7e8), 20 * HOUR)

    assert after.verdict in (Verdict.HEALTHY, Verdict.WARMING)
    assert after.exhaustion is None


def test_a_restart_begins_a_new_life(watched: Watched):
    assert watched.last(leaking(12 * HOUR, 36 * HOUR), 28 * HOUR).verdict.is_alarm

    said = watched.last(noisy(lambda _: 3e8), 120, since=watched.at)

    assert said.verdict is Verdict.INSUFFICIENT_DATA


def test_a_leak_that_comes_back_after_a_restart_is_found_sooner(watched: Watched):
    def found_after(onset: float) -> float:
        for said in watched.follow(leaking(0, 30 * HOUR), 29.9 * HOUR, since=onset):
            if said.verdict.is_alarm:
                return watched.at - onset
        return math.inf

    first = found_after(watched.at)
    watched.at = START + 30 * HOUR
    second = found_after(watched.at)

    assert second < 0.8 * first


def test_nothing_is_said_without_a_limit(watched: Watched):
    verdicts = {said.verdict for said in watched.follow(leaking(12 * HOUR, 36 * HOUR), 36 * HOUR, limit=None)}

    assert verdicts == {Verdict.INSUFFICIENT_DATA}


def test_few_units_are_no_leak(watched: Watched):
    """A pool of 8 connections goes from 1 to 4."""
    said = watched.follow(lambda s: 1 + min(3, s // HOUR), 12 * HOUR, limit=8.0)

    assert not any(one.verdict.is_alarm for one in said)


def test_a_pool_that_loses_its_connections_one_by_one_is_found(watched: Watched):
    rng = random.Random(3)
    said = list(watched.follow(lambda s: 3 + s // (0.5 * HOUR) + rng.choice((0, 0, 1, 3)), 40 * HOUR, limit=100.0))

    assert any(one.verdict.is_alarm for one in said)


@pytest.mark.parametrize("jump_s", [-3600.0, -30.0, 45.0, 3600.0])
def test_a_clock_that_jumps_neither_raises_nor_hides_anything(jump_s: float):
    detector, verdicts = Detector(), []
    curve = leaking(DAY, 3 * DAY)
    for minute in range(3 * 1440 - 5):
        true_s = minute * 60.0
        at = START + true_s + (jump_s if true_s > 0.8 * DAY else 0.0)
        detector.feed(Sample(at, curve(true_s), LIMIT, START))
        verdicts.append(detector.assess(at).verdict)

    assert not any(verdict.is_alarm for verdict in verdicts[:1440])
    assert any(verdict.is_alarm for verdict in verdicts[1440 : 1440 + 1440 + 200])


def test_a_gap_neither_raises_nor_hides_anything(watched: Watched):
    curve = leaking(DAY, 4 * DAY)
    assert not any(said.verdict.is_alarm for said in watched.follow(curve, 1.2 * DAY))
    watched.at += 5 * HOUR

    assert any(said.verdict.is_alarm for said in watched.follow(curve, 1.4 * DAY))


def test_what_is_remembered_is_bounded_and_in_order(watched: Watched):
    watched.last(noisy(lambda _: 5e8), 10 * DAY, step_s=60.0)

    history = watched.detector.history()

    assert len(history) <= 4 * 96
    assert [at for at, _ in history] == sorted(at for at, _ in history)
    assert history[0][0] < watched.at - 7 * DAY
    assert watched.at - history[-1][0] < 180
