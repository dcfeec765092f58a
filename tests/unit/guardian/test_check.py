"""The liveness check counts failures in a row, outside the grace."""

import pytest
from fakes.clock import FakeClock

from guardian import check
from guardian.check import to_probe, until_failing, until_next
from homeostat.probes import ProbeContext, ProbeResult
from homeostat.processspec import CheckSpec
from homeostat.workloads import ProbeSpec

SPEC = CheckSpec(tcp="127.0.0.1:1", interval=5.0, timeout=2.0, failures=3)


@pytest.fixture
def answers(monkeypatch):
    """A function that sets what the checks will see: 1 good, 0 bad, ? nothing, for want of descriptors, say."""

    class Script:
        is_open = False

        def __init__(self, pattern: str) -> None:
            self.results = iter(pattern)

        async def check(self) -> ProbeResult:
            ok = {"1": True, "0": False, "?": None}[next(self.results)]
            return ProbeResult(ok, "" if ok else "refused", 0.0)

        async def close(self) -> None:
            self.is_open = False

    def script(pattern: str) -> Script:
        probe = Script(pattern)

        def open_probe(spec, context):
            probe.is_open = True
            return probe

        monkeypatch.setattr(check, "open_probe", open_probe)
        return probe

    return script


async def run(clock: FakeClock, grace_s: float = 0.0) -> tuple[str, list[bool]]:
    seen: list[bool] = []
    start = clock.monotonic()
    context = ProbeContext(session=None, clock=clock)
    reason = await until_failing(SPEC, context, lambda: clock.monotonic() - start < grace_s, seen.append)
    return reason, seen


@pytest.mark.parametrize("pattern", ["000", "1000", "00101000", "11001001000"])
async def test_so_many_failures_in_a_row_are_trouble_and_no_fewer(answers, pattern):
    answers(pattern)

    reason, seen = await run(FakeClock())

    assert reason == "tcp check: refused, 3 times in a row"
    assert seen == [mark == "1" for mark in pattern]


async def test_a_check_that_could_not_be_made_neither_blames_nor_clears(answers):
    answers("?0?0??0")

    reason, seen = await run(FakeClock())

    assert reason == "tcp check: refused, 3 times in a row"
    assert seen == [False] * 3


async def test_what_the_probe_keeps_is_given_back(answers):
    probe = answers("000")

    await run(FakeClock())

    assert not probe.is_open


async def test_checks_of_all_processes_fall_together_whenever_they_began(answers):
    clocks = [FakeClock(now) for now in (100.0, 101.3, 104.9)]
    for clock in clocks:
        answers("1000")
        await run(clock)

    assert [clock.monotonic() for clock in clocks] == pytest.approx([120.0, 120.0, 120.0])


@pytest.mark.parametrize(
    ("now", "expected"),
    [(100.0, 5.0), (100.1, 4.9), (104.0, 1.0), (104.9995, 5.0005), (0.0, 5.0)],
)
def test_no_check_follows_another_at_once(now: float, expected: float):
    assert until_next(5.0, now) == pytest.approx(expected)


async def test_failures_in_the_grace_do_not_count(answers):
    answers("0" * 100)
    clock = FakeClock()
    start = clock.monotonic()

    await run(clock, grace_s=20.0)

    assert 20 + 2 * 5 <= clock.monotonic() - start <= 20 + 3 * 5


async def test_a_start_is_noticed_soon_and_then_the_interval_holds(answers):
    answers("001" + "0000")
    clock = FakeClock()

    await run(clock, grace_s=10.0)

    assert clock.slept[:5] == [0.5, 0.5, 0.5, 3.5, 5.0]


def test_each_kind_of_check_is_a_probe():
    assert to_probe(SPEC) == ProbeSpec("tcp", "127.0.0.1:1", 5.0, 2.0)
    assert to_probe(CheckSpec(http="http://127.0.0.1:1/x")) == ProbeSpec("http", "http://127.0.0.1:1/x", 5.0, 2.0)
