"""What users and the request log have to say against a claim of recovery."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.report import percentile
from chaos.load import Load, Request
from chaos.timeline import Timeline, contradictions

CLAIM = Timeline("crash", "shop/web", 100.0, "WorkloadDown", 104.0, "restart", 104.1, "verified", 110.0)


@dataclass
class Victim:
    request_log: Path


@pytest.fixture
def victim(tmp_path):
    def make(*rows):
        log = tmp_path / "requests.jsonl"
        log.write_text("".join(json.dumps({"ts": ts, "status": status}) + "\n" for ts, status in rows))
        return Victim(log)

    return make


async def test_users_and_log_agree_with_a_true_claim(victim):
    load = Load([Request(at, 200) for at in (107.0, 108.0, 110.5)])

    assert await contradictions(CLAIM, victim((107.0, 200), (110.0, 200)), load, 4.0) == []


@pytest.mark.parametrize(
    ("requests", "log", "said"),
    [
        ([(108.0, 0)], [(107.0, 200)], "1 requests failed during the hold"),
        ([(108.0, 200)], [(107.0, 200), (109.0, 503)], "the request log has 1 errors during the hold"),
        ([(108.0, 200)], [(90.0, 200)], "the request log has no request during the hold"),
    ],
    ids=["a user got no answer", "the shop answered with an error", "the shop served nobody"],
)
async def test_a_false_claim_is_contradicted(victim, requests, log, said):
    load = Load([Request(at, status) for at, status in requests])

    assert await contradictions(CLAIM, victim(*log), load, 4.0) == [said]


async def test_trouble_before_the_hold_contradicts_nothing(victim):
    load = Load([Request(105.0, 0), Request(108.0, 200)])

    assert await contradictions(CLAIM, victim((105.0, 500), (108.0, 200)), load, 4.0) == []


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([1.0], 0.95, 1.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        (list(range(1, 11)), 0.95, 10),
        (list(range(1, 101)), 0.95, 95),
    ],
    ids=["one", "median of an even number", "p95 of ten is the largest", "p95 of a hundred"],
)
def test_percentile_is_the_nearest_rank(values, share, expected):
    assert percentile(values, share) == expected
