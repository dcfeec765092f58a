"""A detector that is written down and read again goes on as one that was not; nothing else is read as one."""

import copy
import dataclasses
import json
import math
import random
from array import array
from base64 import b64encode
from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.leaks.assessment import Assessment, Sample, Verdict
from exporters.leaks.detector import Detector
from exporters.leaks.parameters import PEAKS, POINTS, WIDTHS_S
from exporters.leaks.stored import dump, load

START, LIMIT = 1.8e9, 512e6
Trace = list[Sample]


def trace(*, minutes: int, seed: int, onset: int, rate: float, restart: int = -1, gap: range = range(0)) -> Trace:
    """A sample a minute: noise on 100 MB, a leak of ``rate`` bytes a second from ``onset`` on; a new start, a clock
    that is put back, and minutes without samples.
    """
    rng = random.Random(seed)
    samples: Trace = []
    for minute in range(minutes):
        begun = restart if 0 <= restart <= minute else 0
        grown = max(0, minute - max(onset, begun)) * 60 * rate
        value = min(LIMIT, 100e6 + grown + rng.random() * 2e6)
        at = START + 60 * minute - (30 if minute > minutes // 3 else 0)
        if minute not in gap:
            samples.append(Sample(at, value, LIMIT, START + 60 * begun, work=float(minute)))
    return samples


def said(detector: Detector, samples: Trace) -> list[Assessment]:
    found = []
    for sample in samples:
        detector.feed(sample)
        found.append(detector.assess(sample.at))
    return found


def again(detector: Detector) -> Detector:
    """Through the text of a file."""
    return load(json.loads(json.dumps(dump(detector), allow_nan=False)))


LEAKING = trace(minutes=450, seed=1, onset=240, rate=28e3)


@settings(max_examples=25, deadline=None)
@given(
    cut=st.integers(0, 450),
    seed=st.integers(0, 3),
    onset=st.sampled_from([0, 120, 240]),
    rate=st.sampled_from([0.0, 5e3, 28e3, 60e3]),
    restart=st.sampled_from([-1, -1, 90, 400]),
    gap=st.sampled_from([range(0), range(100, 130)]),
)
def test_it_goes_on_as_one_that_was_never_stored(cut, seed, onset, rate, restart, gap):
    samples = trace(minutes=450, seed=seed, onset=onset, rate=rate, restart=restart, gap=gap)
    kept = Detector()
    said(kept, samples[:cut])
    stored = again(kept)

    assert said(stored, samples[cut:]) == said(kept, samples[cut:])


def test_the_growth_of_a_leak_is_stored_with_it():
    kept = Detector()
    assert said(kept, LEAKING)[-1].verdict.is_alarm
    stored = again(kept)

    assert stored.watch.growth == kept.watch.growth is not None
    assert stored.best == kept.best
    assert stored.history() == kept.history()
    assert stored.p_value == kept.p_value < 0.01


def test_it_is_small_whatever_was_seen():
    detector = Detector()
    rng = random.Random(2)
    for minute in range(0, 12 * 1440, 5):
        detector.feed(Sample(START + 60 * minute, minute * 1e4 + rng.random(), LIMIT, START))
        if minute % 60 == 0:
            detector.assess(START + 60 * minute)

    assert len(json.dumps(dump(detector))) < 8192


def made_of(value: Any) -> Any:
    """All that can be reached from it, as plain data; a field that nobody stored is missing on one side."""
    if isinstance(value, array | list | tuple):
        return [made_of(each) for each in value]
    names = getattr(type(value), "__slots__", ())
    return {name: made_of(getattr(value, name)) for name in names} if names else value


def test_all_that_a_detector_is_made_of_is_stored():
    kept = Detector()
    said(kept, LEAKING)

    assert made_of(again(kept)) == made_of(kept)


def test_growth_of_an_endless_need_is_left_out():
    detector = Detector()
    said(detector, LEAKING)
    assert detector.best is not None
    detector.best = dataclasses.replace(detector.best, need=math.inf)

    assert again(detector).best is None


# --- What is no detector


def floors(*numbers: float) -> str:
    return b64encode(pack(f"<{len(numbers)}f", *numbers)).decode()


Change = Callable[[dict[str, Any]], object]
BROKEN: dict[str, Change] = {
    "a field is missing": lambda raw: raw.pop("clock"),
    "a field is new": lambda raw: raw.update(colour="red"),
    "a scale is missing": lambda raw: raw["scales"]["all"].pop(),
    "a scale too many": lambda raw: raw["scales"]["all"].append(raw["scales"]["all"][0]),
    "scales without end": lambda raw: raw["scales"].update(all=raw["scales"]["all"] * 1000),
    "a scale of another width": lambda raw: raw["scales"]["all"][1].update(width_s=WIDTHS_S[1] + 1),
    "scales are no list": lambda raw: raw["scales"].update(all={}),
    "a field of a scale is missing": lambda raw: raw["scales"]["all"][0].pop("swing"),
    "the clock is a text": lambda raw: raw.update(clock="1"),
    "the clock is true": lambda raw: raw.update(clock=True),
    "the clock is no number": lambda raw: raw.update(clock=math.nan),
    "the clock is endless": lambda raw: raw.update(clock=math.inf),
    "the clock is past every calendar": lambda raw: raw.update(clock=1e13),
    "a whole number of 400 digits": lambda raw: raw.update(clock=10**400),
    "more scales have closed than there are": lambda raw: raw.update(closed=len(WIDTHS_S) + 1),
    "closed is a half": lambda raw: raw.update(closed=0.5),
    "time goes the other way": lambda raw: raw.update(offset=-1.0),
    "floors are no base64": lambda raw: raw["scales"]["all"][0].update(floors="****"),
    "floors are no floats": lambda raw: raw["scales"]["all"][0].update(floors="AAA="),
    "floors are a list": lambda raw: raw["scales"]["all"][0].update(floors=[1.0]),
    "a floor is no number": lambda raw: raw["scales"]["all"][0].update(floors=floors(1.0, math.nan)),
    "a floor is below 0": lambda raw: raw["scales"]["all"][0].update(floors=floors(-1.0)),
    "a floor is minus infinity": lambda raw: raw["scales"]["all"][0].update(floors=floors(-math.inf)),
    "a peak is endless": lambda raw: raw["scales"].update(peaks=floors(math.inf)),
    "too many floors": lambda raw: raw["scales"]["all"][0].update(floors=floors(*[1.0] * (POINTS + 1))),
    "a book of floors": lambda raw: raw["scales"]["all"][0].update(floors=floors(*[1.0] * 1_000_000)),
    "too many peaks": lambda raw: raw["scales"].update(peaks=floors(*[1.0] * (PEAKS + 1))),
    "floors without a bucket": lambda raw: raw["scales"]["all"][0].update(bucket=-1, low=None, high=None),
    "an open bucket without values": lambda raw: raw["scales"]["all"][0].update(low=None, high=None),
    "values without a bucket": lambda raw: raw["scales"]["all"][0].update(bucket=-1),
    "a low above the high": lambda raw: raw["scales"]["all"][0].update(low=2.0, high=1.0),
    "a bucket of a far future": lambda raw: raw["scales"]["all"][0].update(bucket=10**30),
    "no verdict": lambda raw: raw["watch"].update(verdict="fine"),
    "an alarm without growth": lambda raw: raw["watch"].update(growth=None),
    "growth that does not grow": lambda raw: raw["watch"]["growth"]["slope"].update(high=0.0),
    "growth that took no time": lambda raw: raw["watch"]["growth"].update(length_s=0.0),
    "a p of 2": lambda raw: raw["watch"]["growth"].update(p_value=2.0),
    "a reason of its own": lambda raw: raw["watch"]["growth"].update(signs=['x"} 1\n']),
    "a refusal of its own": lambda raw: raw.update(refused="because"),
    "a look that there is not": lambda raw: raw.update(best_of=7),
    "a limit of 0": lambda raw: raw["life"].update(limit=0.0),
    "a value below 0": lambda raw: raw["life"].update(value=-1.0),
}


@pytest.fixture(scope="module")
def alarmed() -> dict[str, Any]:
    """What is stored of a detector that has an alarm."""
    detector = Detector()
    assert said(detector, LEAKING)[-1].verdict.is_alarm
    return json.loads(json.dumps(dump(detector)))


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_detector_is_refused(alarmed, name):
    raw = copy.deepcopy(alarmed)
    load(copy.deepcopy(raw))
    BROKEN[name](raw)

    with pytest.raises(ValueError, match=r"\w"):
        load(raw)


@pytest.mark.parametrize("raw", [None, [], "x", 7, {}, {"scales": []}, [[]] * 100])
def test_other_things_are_refused(raw):
    with pytest.raises(ValueError, match=r"\w"):
        load(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=12,
)


def places(raw: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all that stands in it."""
    inside = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    return [found for key, value in inside for found in ((*path, key), *places(value, (*path, key)))]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_it_a_detector_works_or_is_refused(alarmed, data):
    raw = copy.deepcopy(alarmed)
    *path, last = data.draw(st.sampled_from(places(raw)))
    inner: Any = raw
    for key in path:
        inner = inner[key]
    inner[last] = data.draw(JSON)
    try:
        detector = load(raw)
    except ValueError:
        return
    for sample in LEAKING[-5:]:
        detector.feed(Sample(sample.at + 36000, sample.value, LIMIT, sample.started_at))
        assessment = detector.assess(sample.at + 36000)

        assert assessment.verdict in Verdict
        assert all(number == number for number in (assessment.slope, assessment.exhaustion or 0.0))  # noqa: PLR0124 - NaN
    detector.history()
