"""What follows an end: a table, and what holds for every history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.policy import Cause, CrashLoop, Decision, End, Restart, Stay, decide, history_length
from homeostat.processspec import BackoffSpec, CrashLoopSpec, ProcessSpec

NOW = 1000.0


def spec(restart="on-failure", *, initial=1.0, cap=60.0, jitter=0.0, count=5, window=120.0) -> ProcessSpec:
    return ProcessSpec(
        command=("true",),
        restart=restart,
        backoff=BackoffSpec(initial=initial, max=cap, jitter=jitter, reset_after=60.0),
        crash_loop=CrashLoopSpec(count=count, window=window),
    )


def end(ago: float = 0.0, ran_s: float = 1.0, cause: Cause = Cause.EXIT, code: int | None = 1) -> End:
    return End(NOW - ago, ran_s, cause, code)


def after(spec: ProcessSpec, *ends: End, random: float = 0.5) -> Decision:
    return decide(spec, ends, NOW, lambda: random)


@pytest.mark.parametrize(
    ("restart", "last", "is_restarted"),
    [
        ("always", end(code=0), True),
        ("always", end(code=1), True),
        ("on-failure", end(code=0), False),
        ("on-failure", end(code=1), True),
        ("on-failure", end(code=143), True),
        ("on-failure", end(code=None), True),
        ("on-failure", end(code=0, cause=Cause.CHECK), True),
        ("on-failure", end(code=0, cause=Cause.LIMIT), True),
        ("never", end(code=0), False),
        ("never", end(code=1), False),
        ("never", end(code=1, cause=Cause.CHECK), False),
    ],
)
def test_who_is_restarted(restart, last, is_restarted):
    assert isinstance(after(spec(restart), last), Restart if is_restarted else Stay)


@pytest.mark.parametrize(("failures", "delay_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (6, 32), (7, 60), (90, 60)])
def test_the_wait_doubles_up_to_its_cap(failures, delay_s):
    ends = [end(ago=200.0 * n) for n in reversed(range(failures))]

    assert after(spec(), *ends) == Restart(delay_s)


@pytest.mark.parametrize(("random", "delay_s"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_the_wait_is_spread(random, delay_s):
    assert after(spec(jitter=0.2), end(), random=random) == Restart(delay_s)


def test_the_wait_starts_over_after_a_healthy_run():
    ends = [end(ago=900), end(ago=800), end(ago=700), end(ago=300, ran_s=60), end()]

    assert after(spec(), *ends[:-1]) == Restart(1.0)
    assert after(spec(), *ends) == Restart(2.0)


@pytest.mark.parametrize(
    ("ago", "decision"),
    [
        ([120, 90, 60, 30, 0], CrashLoop(5)),
        ([121, 90, 60, 30, 0], Restart(16.0)),
        ([90, 60, 30, 0], Restart(8.0)),
        ([999, 100, 90, 60, 30, 0], CrashLoop(5)),
    ],
)
def test_a_crash_loop_is_so_many_ends_within_the_window(ago, decision):
    assert after(spec(), *(end(ago=a) for a in ago)) == decision


def test_success_is_no_crash_loop_unless_it_is_to_run_always():
    ends = [end(ago=4 - n, code=0) for n in range(5)]

    assert isinstance(after(spec("on-failure"), *ends), Stay)
    assert after(spec("always"), *ends) == CrashLoop(5)


ends_strategy = st.lists(
    st.builds(
        end,
        ago=st.floats(0, 1e6),
        ran_s=st.floats(0, 1e6),
        cause=st.sampled_from(Cause),
        code=st.one_of(st.none(), st.integers(0, 255)),
    ),
    min_size=1,
    max_size=200,
).map(lambda ends: sorted(ends, key=lambda e: e.at))


@given(
    ends=ends_strategy,
    initial=st.floats(0.001, 1e9),
    cap=st.floats(0.001, 1e9),
    jitter=st.floats(0, 1),
    random=st.floats(0, 1, exclude_max=True),
)
def test_the_wait_is_never_negative_nor_above_its_cap_and_jitter(ends, initial, cap, jitter, random):
    decision = decide(spec("always", initial=initial, cap=cap, jitter=jitter, count=1000), ends, NOW, lambda: random)

    assert isinstance(decision, Restart)
    assert 0 <= decision.delay_s <= cap * (1 + jitter)


@given(ends=ends_strategy, count=st.integers(2, 50), window=st.floats(0.001, 1e5))
def test_a_crash_loop_is_always_found_and_never_invented(ends, count, window):
    wanted = spec("always", count=count, window=window)
    recent = [e for e in ends if NOW - e.at <= window]

    decision = decide(wanted, ends[-history_length(wanted) :], NOW, lambda: 0.5)

    assert isinstance(decision, CrashLoop) == (len(recent) >= count)
