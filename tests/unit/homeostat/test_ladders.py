"""Ladders: from the least force to the most, and written to the ledger as they were."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
import yaml

from homeostat.ladders import DEFAULT_LADDERS, Ladder
from homeostat.steps import RestartStep, Step, Tier
from homeostat.structure import stored
from responder.actions import ACTIONS

RULES = Path(__file__).parents[3] / "prometheus" / "rules" / "alerts"
FORCE = [Tier.SOFT, Tier.MEDIUM, Tier.HARD]


def shipped_remedies() -> set[str]:
    rules = [
        rule
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]
    return {rule["labels"]["remedy"] for rule in rules if "remedy" in rule["labels"]}


def test_every_remedy_of_the_shipped_rules_has_a_ladder_and_every_ladder_a_rule():
    assert shipped_remedies() == DEFAULT_LADDERS.keys()


@pytest.mark.parametrize("ladder", DEFAULT_LADDERS.values(), ids=DEFAULT_LADDERS.keys())
def test_a_shipped_ladder_never_steps_down_in_force(ladder: Ladder):
    forces = [FORCE.index(step.tier) for step in ladder.steps]

    assert forces == sorted(forces)


@pytest.mark.parametrize("ladder", DEFAULT_LADDERS.values(), ids=DEFAULT_LADDERS.keys())
def test_a_shipped_step_has_an_action_a_deadline_and_a_hold(ladder: Ladder):
    for step in ladder.steps:
        assert step.action in ACTIONS
        assert step.timeout > 0
        assert step.verify.hold > 0
        assert step.verify.within > 0


@pytest.mark.parametrize("ladder", DEFAULT_LADDERS.values(), ids=DEFAULT_LADDERS.keys())
def test_a_step_comes_back_from_the_ledger_as_it_was(ladder: Ladder):
    for step in ladder.steps:
        assert stored(Step, json.loads(json.dumps(dataclasses.asdict(step)))) == step


def test_a_step_of_an_earlier_releases_ledger_is_read():
    data = {"action": "restart", "grace": 3.0, "timeout": 40.0, "verify": {"within": 15.0, "hold": 4.0}}

    assert stored(Step, data) == RestartStep(action="restart", grace=3.0)


def test_a_name_of_a_ladder_can_be_a_label_of_a_container():
    for name in DEFAULT_LADDERS:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
