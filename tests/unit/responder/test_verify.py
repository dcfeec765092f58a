"""Evidence held for a time: what counts as recovered, what does not, and what nobody can tell."""

from collections.abc import Iterator, Sequence

import pytest
from fakes.clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from responder.verify import Judge, Judgement, Quality, Reading, Terms, Verdict, verify

TERMS = Terms(within_s=10.0, hold_s=4.0, patience_s=60.0)
GOOD = Reading("probe", Quality.GOOD, "answered")
BAD = Reading("probe", Quality.BAD, "status 500")
DARK = Reading("rule", Quality.NO_DATA, "Prometheus does not answer")


def judge(*looks: tuple[float, Sequence[Reading]], terms: Terms = TERMS) -> tuple[float, Judgement] | None:
    """The first judgement and when it came."""
    one = Judge(terms, 0.0)
    for now, readings in looks:
        if judgement := one.feed(now, readings):
            return now, judgement
    return None


def every_second(*readings: Reading, until: float = 200.0) -> Iterator[tuple[float, Sequence[Reading]]]:
    return ((float(now), readings) for now in range(int(until)))


def test_good_for_the_whole_hold_is_verified():
    assert (found := judge(*every_second(GOOD)))
    assert (found[0], found[1].verdict) == (4.0, Verdict.VERIFIED)


def test_good_for_less_than_the_hold_is_not_yet_anything():
    assert judge(*every_second(GOOD, until=4)) is None


def test_one_bad_reading_starts_the_hold_over():
    looks = [(0.0, [GOOD]), (3.0, [GOOD]), (3.5, [BAD]), (4.0, [GOOD]), (7.5, [GOOD])]

    assert judge(*looks) is None
    assert (found := judge(*looks, (8.0, [GOOD])))
    assert found[1].verdict is Verdict.VERIFIED


def test_one_reading_without_data_starts_the_hold_over():
    looks = [(0.0, [GOOD]), (3.9, [DARK]), (4.0, [GOOD]), (7.9, [GOOD])]

    assert judge(*looks) is None


def test_a_reading_at_no_look_starts_the_hold_over():
    assert judge((0.0, [GOOD]), (3.9, []), (4.0, [GOOD]), (7.9, [GOOD])) is None


RULE = Reading("rule", Quality.BAD, "still true", lags=True)
LATE = Terms(within_s=10.0, hold_s=4.0, patience_s=60.0, lag_s=80.0)


def test_what_lags_has_longer():
    assert judge(*every_second(GOOD, RULE, until=90), terms=LATE) is None
    assert (found := judge(*every_second(GOOD, RULE), terms=LATE))
    assert (found[0], found[1].verdict) == (90.0, Verdict.NOT_RECOVERED)


def test_a_workload_that_is_ill_meanwhile_is_not_waited_for():
    looks = [(float(now), [GOOD if now < 30 else BAD, RULE]) for now in range(200)]

    assert (found := judge(*looks, terms=LATE))
    assert (found[0], found[1].verdict) == (40.0, Verdict.NOT_RECOVERED)


def test_one_bad_probe_does_not_end_the_wait_for_what_lags():
    looks = [(float(now), [BAD if now % 9 == 0 else GOOD, RULE]) for now in range(90)]

    assert judge(*looks, terms=LATE) is None


def test_without_data_what_lags_is_waited_for_longer():
    assert judge(*every_second(DARK, until=150), terms=LATE) is None
    assert (found := judge(*every_second(DARK), terms=LATE))
    assert (found[0], found[1].verdict) == (150.0, Verdict.INCONCLUSIVE)


def test_bad_is_not_recovered_only_when_the_time_to_recover_is_over():
    assert judge(*every_second(BAD, until=10)) is None
    assert (found := judge(*every_second(BAD)))
    assert (found[0], found[1].verdict) == (10.0, Verdict.NOT_RECOVERED)
    assert "status 500" in found[1].reason


def test_a_hold_under_way_at_the_deadline_may_end():
    assert (found := judge((0.0, [BAD]), (9.0, [GOOD]), (12.0, [GOOD]), (13.0, [GOOD])))
    assert found[1].verdict is Verdict.VERIFIED


def test_a_relapse_after_the_deadline_is_not_recovered():
    assert (found := judge((9.0, [GOOD]), (12.0, [BAD])))
    assert found[1].verdict is Verdict.NOT_RECOVERED


def test_one_bad_among_good_ones_is_bad():
    assert (found := judge(*every_second(GOOD, BAD)))
    assert found[1].verdict is Verdict.NOT_RECOVERED


def test_no_data_is_inconclusive_and_only_after_the_patience():
    assert judge(*every_second(DARK, until=70)) is None
    assert (found := judge(*every_second(DARK)))
    assert (found[0], found[1].verdict) == (70.0, Verdict.INCONCLUSIVE)
    assert "Prometheus does not answer" in found[1].reason


def test_good_beside_no_data_is_never_verified():
    assert (found := judge(*every_second(GOOD, DARK)))
    assert found[1].verdict is Verdict.INCONCLUSIVE


def test_nothing_to_look_at_is_inconclusive_and_says_so():
    assert (found := judge(*every_second()))
    assert found[1].verdict is Verdict.INCONCLUSIVE
    assert found[1].reason


def test_a_hold_of_nothing_still_needs_one_good_look():
    terms = Terms(0.0, 0.0, 0.0)

    assert (found := judge((0.0, [GOOD]), terms=terms))
    assert found[1].verdict is Verdict.VERIFIED


looks_ = st.lists(
    st.tuples(st.floats(0.01, 20.0), st.lists(st.sampled_from([GOOD, BAD, DARK]), max_size=3)), min_size=1, max_size=60
)


@given(looks=looks_)
def test_every_verdict_is_backed_by_what_was_seen(looks):
    now, seen, found = 0.0, [], None
    one = Judge(TERMS, 0.0)
    for gap, readings in looks:
        now += gap
        seen.append((now, readings))
        if found := one.feed(now, readings):
            break

    if found is None:
        return
    qualities = {reading.quality for reading in seen[-1][1]}
    match found.verdict:
        case Verdict.VERIFIED:
            held = [readings for at, readings in seen if at >= now - TERMS.hold_s]
            assert all(readings and {r.quality for r in readings} == {Quality.GOOD} for readings in held)
            first_good = next(at for at, readings in reversed(seen) if at <= now - TERMS.hold_s)
            assert now - first_good >= TERMS.hold_s
        case Verdict.NOT_RECOVERED:
            assert Quality.BAD in qualities
            assert now >= TERMS.within_s
        case Verdict.INCONCLUSIVE:
            assert Quality.BAD not in qualities
            assert qualities != {Quality.GOOD}
            assert now >= TERMS.within_s + TERMS.patience_s


@given(readings=st.lists(st.sampled_from([GOOD, BAD, DARK]), max_size=3))
def test_a_judgement_always_comes(readings):
    found = judge(*every_second(*readings, until=TERMS.within_s + TERMS.patience_s + TERMS.hold_s + 2))

    assert found is not None


class Script:
    """Evidence that says one thing after another, the last one for ever."""

    def __init__(self, *looks: Reading) -> None:
        self._looks = list(looks)

    async def read(self) -> Sequence[Reading]:
        return [self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]]


async def test_looks_often_enough_and_until_it_knows():
    clock = FakeClock()

    judgement = await verify([Script(BAD, BAD, GOOD), Script(GOOD)], TERMS, clock)

    assert judgement.verdict is Verdict.VERIFIED
    assert sum(clock.slept) == pytest.approx(5.0)
    assert max(clock.slept) <= 1.0
    assert judgement.readings == (GOOD, GOOD)


async def test_without_any_evidence_nothing_is_verified():
    judgement = await verify([], TERMS, FakeClock())

    assert judgement.verdict is Verdict.INCONCLUSIVE
