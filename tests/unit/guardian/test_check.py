"""The liveness check counts failures in a row, outside the grace."""

import pytest
from fakes.clock import FakeClock

from guardian import check
from guardian.check import to_probe, until_failing
from homeostat.probes import ProbeContext, ProbeResult
from homeostat.settings import CheckSpec
from homeostat.workloads import ProbeSpec

SPEC = CheckSpec(tcp="127.0.0.1:1", interval=5.0, timeout=2.0, failures=3)


@pytest.fixture
def answers(monkeypatch):
    """A function that sets what the checks will see: 1 good, 0 bad."""

    def script(pattern: str) -> None:
        results = iter(pattern)

        async def run_probe(spec, context):
            ok = next(results) == "1"
            return ProbeResult(ok, "" if ok else "refused", 0.0)

        monkeypatch.setattr(check, "run_probe", run_probe)

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

    assert clock.slept[:4] == [0.5, 0.5, 0.5, 5.0]


def test_each_kind_of_check_is_a_probe():
    assert to_probe(SPEC) == ProbeSpec("tcp", "127.0.0.1:1", 5.0, 2.0)
    assert to_probe(CheckSpec(http="http://127.0.0.1:1/x")) == ProbeSpec("http", "http://127.0.0.1:1/x", 5.0, 2.0)
