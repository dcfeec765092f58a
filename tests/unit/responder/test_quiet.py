"""One look at a workload serves its alerts of one rule that had ended before it, and no others."""

from dataclasses import replace

import pytest

from responder.ledger import Alert, Episode, new_episode
from responder.quiet import Quiet
from responder.verify import Judgement, Verdict

BEGAN, ENDED = 100.0, 110.0
GOOD = Judgement(Verdict.VERIFIED, "all is well", ())
LABELS = {"alertname": "WorkloadDown", "workload": "shop/api", "severity": "critical", "remedy": "down"}


def episode(resolved_at: float | None, **labels: str) -> Episode:
    alert = Alert("f" * 16, {**LABELS, **labels}, {}, 1.0, is_firing=True)
    return replace(new_episode(alert, 2, 1.0), resolved_at=resolved_at)


@pytest.fixture
def quiet() -> Quiet:
    quiet = Quiet()
    quiet.note(episode(50.0), BEGAN, GOOD, ENDED)
    return quiet


@pytest.mark.parametrize("resolved_at", [1.0, 99.0, BEGAN])
def test_it_serves_one_that_had_ended_by_then(quiet: Quiet, resolved_at: float):
    assert quiet.seen(episode(resolved_at), ENDED + 9.9) is GOOD
    assert quiet.seen(episode(resolved_at, part="another"), ENDED) is GOOD


def test_it_serves_none_that_ended_during_the_look_or_lasts(quiet: Quiet):
    assert quiet.seen(episode(BEGAN + 0.1), ENDED) is None
    assert quiet.seen(episode(None), ENDED) is None


def test_it_speaks_of_now_for_a_short_time_only(quiet: Quiet):
    assert quiet.seen(episode(50.0), ENDED + 10) is None


@pytest.mark.parametrize("label", ["workload", "container", "resource", "alertname", "severity", "remedy"])
def test_it_serves_no_other_workload_container_resource_or_rule(quiet: Quiet, label: str):
    assert quiet.seen(episode(50.0, **{label: "other"}), ENDED) is None


def test_what_is_old_is_forgotten(quiet: Quiet):
    for number in range(1000):
        quiet.note(episode(50.0, workload=f"shop/w{number}"), BEGAN, GOOD, ENDED + number)

    assert len(quiet._seen) <= 10
