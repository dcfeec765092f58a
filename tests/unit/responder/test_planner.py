"""Which step comes next, and every reason not to take one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.alertmanager_api import AlertState
from homeostat.ladders import DEFAULT_LADDERS, Ladder
from homeostat.sections import Cap, MaintenanceWindow, Scope
from homeostat.steps import EvidenceStep, HookStep, RestartStep, Step, Tier, UnpauseStep
from homeostat.workloads import HookSpec, Kind, Workload, is_workload_id
from responder.gates import AlertView, Approval, Facts, Limits, Question, Refusal, Then, first_refusal
from responder.ledger import Hold, StepRecord
from responder.planner import Act, Exhausted, Outlook, Request, outlook, plan

NOW = 1_000_000.0
HOOKS = {"gc": HookSpec(":8080/gc"), "reset-connections": HookSpec(":8080/reset")}
SHOP = Workload("shop/web", Kind.CONTAINER, enabled=True, hooks=HOOKS)
ACTIVE = AlertView(AlertState.ACTIVE, "", "")
CAPS = (Cap(count=3, window=900.0), Cap(count=10, window=86400.0))
GOOD = Facts(SHOP, "", ACTIVE, Limits(CAPS), NOW)
RESTART = RestartStep(action="restart")
GC = HookStep(action="hook", hook="gc")
LADDER = Ladder(steps=(GC, RESTART))


def hard(
    *times: float, workload: str = "shop/web", action: str = "restart", episode: int = 1
) -> tuple[StepRecord, ...]:
    return tuple(StepRecord(at, episode, workload, action, "hard") for at in times)


def ask(facts: Facts = GOOD, ladder: Ladder | None = LADDER, tried: set[int] | None = None, workload: str = "shop/web"):
    return plan(Request(workload, "memory", ladder, tried or set()), facts)


# --- Which rung


def test_takes_the_softest_rung_first():
    assert ask() == Act(0, GC)


def test_takes_the_next_rung_after_those_that_were_tried():
    assert ask(tried={0}) == Act(1, RESTART)


def test_never_goes_back_to_a_rung_below_when_a_higher_one_was_tried():
    assert ask(tried={0, 1}) == Exhausted(escalate=True)


def test_skips_a_hook_that_the_workload_does_not_offer():
    without = replace(GOOD, workload=replace(SHOP, hooks={}))

    assert ask(without) == Act(1, RESTART)


def test_does_not_ask_for_evidence_that_the_workload_does_not_offer():
    heap = EvidenceStep(action="evidence", hook="heap")
    offered = replace(GOOD, workload=replace(SHOP, hooks={"heap": HookSpec(":8080/heap")}))

    assert ask(offered, Ladder(steps=(heap, RESTART))) == Act(0, heap)
    assert ask(ladder=Ladder(steps=(heap, RESTART))) == Act(1, RESTART)
    assert ask(ladder=Ladder(steps=(heap,), escalate=False)) == Exhausted(escalate=False)


def test_calls_people_when_no_rung_of_the_ladder_applies():
    without = replace(GOOD, workload=replace(SHOP, hooks={}))

    assert ask(without, Ladder(steps=(GC,))) == Exhausted(escalate=True)


def test_an_empty_ladder_that_only_records_calls_nobody():
    assert ask(ladder=DEFAULT_LADDERS["record"]) == Exhausted(escalate=False)


# --- Refusals, one fact changed each time

UNKNOWN = replace(GOOD, workload=None, workload_problem="no container carries it")
ALERT_GONE = AlertView(None, "", "")
UNREADABLE = AlertView(None, "", "Alertmanager does not answer")
MUTED = AlertView(AlertState.SUPPRESSED, "silence 0b", "")
UNPROCESSED = AlertView(AlertState.UNPROCESSED, "", "")

REFUSALS = [
    pytest.param(UNKNOWN, "unknown_workload", Then.ESCALATE, id="unknown workload"),
    pytest.param(replace(GOOD, workload=replace(SHOP, enabled=False)), "not_enabled", Then.ESCALATE, id="not opted in"),
    pytest.param(replace(GOOD, workload=replace(SHOP, hold=True)), "hold", Then.ESCALATE, id="hands off"),
    pytest.param(replace(GOOD, alert=UNREADABLE), "alertmanager_unreadable", Then.WAIT, id="Alertmanager is down"),
    pytest.param(replace(GOOD, alert=ALERT_GONE), "not_active", Then.WAIT, id="alert ended"),
    pytest.param(replace(GOOD, alert=MUTED), "muted", Then.WAIT, id="silenced"),
    pytest.param(replace(GOOD, alert=UNPROCESSED), "unprocessed", Then.WAIT, id="not yet judged by Alertmanager"),
    pytest.param(replace(UNKNOWN, is_unreadable=True), "workload_unreadable", Then.WAIT, id="the engine is down"),
    pytest.param(
        replace(GOOD, still_true=None, rule_detail="down"), "rule_unreadable", Then.WAIT, id="Prometheus is down"
    ),
    pytest.param(
        replace(GOOD, hold=Hold("shop/*", "heap dump", "jane", NOW, None)), "operator_hold", Then.WAIT, id="held"
    ),
    pytest.param(
        replace(GOOD, maintenance=MaintenanceWindow(workloads=("*",), start="02:00", end="03:00")),
        "maintenance",
        Then.WAIT,
        id="maintenance",
    ),
    pytest.param(replace(GOOD, blamed=("shop/db",)), "dependency", Then.WAIT, id="what it needs is down"),
    pytest.param(replace(GOOD, still_true=False), "rule_not_true", Then.WAIT, id="the rule is no longer true"),
    pytest.param(replace(GOOD, limits=Limits(CAPS, dry_run=True)), "dry_run", Then.ESCALATE, id="dry run"),
]


@pytest.mark.parametrize(("facts", "reason", "then"), REFUSALS)
def test_refuses_and_says_why(facts: Facts, reason: str, then: Then):
    decision = ask(facts)

    assert isinstance(decision, Refusal)
    assert (decision.reason, decision.then) == (reason, then)
    assert decision.detail


def test_says_what_mutes_the_alert():
    decision = ask(replace(GOOD, alert=MUTED))

    assert isinstance(decision, Refusal)
    assert "silence 0b" in decision.detail


def test_not_opted_in_is_said_before_anything_that_passes_by_itself():
    facts = replace(GOOD, workload=replace(SHOP, enabled=False), alert=UNREADABLE)

    assert isinstance(decision := ask(facts), Refusal)
    assert decision.reason == "not_enabled"


# --- Caps: three hard steps in 15 minutes, ten in a day


@pytest.mark.parametrize(
    ("hard_steps", "allowed"),
    [
        ((), True),
        ((NOW - 1, NOW - 2), True),
        ((NOW - 1, NOW - 2, NOW - 3), False),
        ((NOW - 899, NOW - 2, NOW - 3), False),
        ((NOW - 900, NOW - 2, NOW - 3), True),  # just out of the window
        (tuple(NOW - 1000 * n for n in range(1, 10)), True),
        (tuple(NOW - 1000 * n for n in range(1, 11)), False),  # the day's cap
        ((NOW + 500, NOW + 600, NOW + 700), False),  # the clock was set back: still counted
    ],
)
def test_a_hard_step_is_taken_only_within_every_cap(hard_steps: tuple[float, ...], allowed: bool):
    decision = ask(replace(GOOD, steps=hard(*hard_steps)), tried={0})

    if allowed:
        assert decision == Act(1, RESTART)
    else:
        assert isinstance(decision, Refusal)
        assert (decision.reason, decision.then) == ("cap", Then.ESCALATE)


def test_caps_do_not_hold_back_a_soft_step():
    assert ask(replace(GOOD, steps=hard(*[NOW] * 20))) == Act(0, GC)


ELSEWHERE = (*hard(NOW - 1, NOW - 2, workload="shop/db"), *hard(NOW - 3, workload="mail/smtp", action="recreate"))


@pytest.mark.parametrize(
    ("per", "count", "allowed"),
    [
        (Scope.WORKLOAD, 1, True),
        (Scope.PROJECT, 3, True),
        (Scope.PROJECT, 2, False),
        (Scope.ACTION, 3, True),
        (Scope.ACTION, 2, False),
        (Scope.ALL, 4, True),
        (Scope.ALL, 3, False),
    ],
)
def test_a_cap_counts_what_it_is_for(per: Scope, count: int, allowed: bool):
    limits = Limits((Cap(count=count, window=60.0, per=per),))
    decision = ask(replace(GOOD, limits=limits, steps=ELSEWHERE), tried={0})

    assert (decision == Act(1, RESTART)) == allowed


@pytest.mark.parametrize(
    ("steps", "allowed"),
    [
        (hard(NOW - 29), False),
        (hard(NOW - 30), True),
        (hard(NOW - 1, episode=7), True),  # of this very trouble: the next rung does not wait
        (hard(NOW - 1, workload="shop/db"), True),
        ((StepRecord(NOW - 1, 1, "shop/web", "hook", "soft"),), True),
        (hard(NOW + 5), False),  # the clock was set back
    ],
)
def test_one_trouble_s_hard_step_is_not_followed_at_once_by_the_next_one_s(steps, allowed: bool):
    facts = replace(GOOD, limits=Limits(CAPS, cooldown_s=30.0), steps=steps, episode_id=7)
    decision = ask(facts, tried={0})

    if allowed:
        assert decision == Act(1, RESTART)
    else:
        assert isinstance(decision, Refusal)
        assert (decision.reason, decision.then) == ("cooldown", Then.WAIT)
    assert ask(facts) == Act(0, GC)


# --- Conditions and approvals: of one rung, not of all

CAREFUL = Ladder(steps=(replace(GC, when="up"), replace(RESTART, approval=60.0)))


@pytest.mark.parametrize(
    ("met", "expected"),
    [(True, Act(0, CAREFUL.steps[0])), (False, "approval"), ("Prometheus is down", "condition_unreadable")],
)
def test_a_condition_passes_its_rung_over_and_one_that_cannot_be_told_waits(met, expected):
    decision = ask(replace(GOOD, conditions={0: met}), CAREFUL)

    assert (decision.reason if isinstance(decision, Refusal) else decision) == expected


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        (None, ("approval", Then.WAIT)),
        (Approval.PENDING, ("approval", Then.WAIT)),
        (Approval.REJECTED, ("rejected", Then.ESCALATE)),
        (Approval.EXPIRED, ("approval_expired", Then.ESCALATE)),
        (Approval.APPROVED, None),
    ],
)
def test_a_step_that_needs_a_yes_waits_for_it(approval: Approval | None, expected):
    facts = replace(GOOD, approvals={} if approval is None else {1: approval})
    decision = ask(facts, CAREFUL, tried={0})

    if expected is None:
        assert decision == Act(1, CAREFUL.steps[1])
    else:
        assert isinstance(decision, Refusal)
        assert (decision.reason, decision.then) == expected
        assert decision.question == (Question(1, "restart", 60.0) if expected[0] == "approval" else None)


def test_people_are_not_asked_about_what_would_not_be_done_anyway():
    decision = ask(replace(GOOD, limits=Limits(CAPS, dry_run=True)), CAREFUL, tried={0})

    assert isinstance(decision, Refusal)
    assert decision.reason == "dry_run"


def test_an_outlook_tells_of_every_rung():
    facts = replace(GOOD, conditions={0: False}, steps=hard(NOW, NOW, NOW))

    assert outlook(Request("shop/web", "memory", CAREFUL, ()), facts) == [
        Outlook(0, CAREFUL.steps[0], is_taken=False, why="passed over: its condition is not met"),
        Outlook(
            1,
            CAREFUL.steps[1],
            is_taken=False,
            why="cap: 3 hard steps in the last 900 s, allowed 3: repeating is no repair; then people are called",
        ),
    ]


# --- What an alert asks for

HOSTILE = [
    "$(rm -rf /)",
    "; rm -rf /",
    "../../etc/passwd",
    "shop/../web",
    "shop/web/..",
    "/web",
    "shop/",
    "shop",
    "{{ .Labels }}/web",
    '"} or up{',
    'shop/web"} or up{',
    "shop/web\n",
    "shop/web\x00",
    "shop/.*",
    "*",
    ".*/.*",
    "shop/web,shop/db",
    "шоп/web",
    "shop/" + "a" * 129,
    " shop/web",
]


@pytest.mark.parametrize("workload", HOSTILE)
def test_a_workload_label_that_is_no_id_is_refused_and_people_are_called(workload: str):
    decision = ask(workload=workload)

    assert isinstance(decision, Refusal)
    assert (decision.reason, decision.then) == ("unknown_workload", Then.ESCALATE)


def test_nothing_never_means_everything():
    decision = ask(workload="")

    assert isinstance(decision, Refusal)
    assert (decision.reason, decision.then) == ("empty_selector", Then.ESCALATE)


def test_an_unknown_remedy_is_refused_and_people_are_called():
    decision = plan(Request("shop/web", "$(reboot)" * 100, None, ()), GOOD)

    assert isinstance(decision, Refusal)
    assert (decision.reason, decision.then) == ("unknown_remedy", Then.ESCALATE)
    assert len(decision.detail) < 200


# --- Properties

steps = st.one_of(
    st.builds(HookStep, action=st.just("hook"), hook=st.sampled_from(["gc", "cache-clear", "absent"])),
    st.builds(UnpauseStep, action=st.just("unpause")),
    st.builds(RestartStep, action=st.just("restart")),
)
ladders = st.builds(Ladder, steps=st.lists(steps, max_size=6).map(tuple), escalate=st.booleans())
workloads = st.builds(
    Workload,
    id=st.just("shop/web"),
    kind=st.sampled_from(Kind),
    enabled=st.booleans(),
    hold=st.booleans(),
    hooks=st.sampled_from([{}, HOOKS]),
)
views = st.builds(
    AlertView,
    state=st.none() | st.sampled_from(AlertState),
    muted_by=st.just("silence x"),
    problem=st.sampled_from(["", "", "unreachable"]),
)
facts_ = st.builds(
    Facts,
    workload=st.none() | workloads,
    workload_problem=st.just("why"),
    alert=views,
    steps=st.lists(st.floats(NOW - 100_000, NOW), max_size=15).map(lambda times: hard(*times)),
    limits=st.builds(
        Limits,
        caps=st.sampled_from([(), CAPS, (Cap(count=1, window=60.0),)]),
        cooldown_s=st.sampled_from([0.0, 30.0]),
        dry_run=st.booleans(),
    ),
    now=st.just(NOW),
    hold=st.none() | st.just(Hold("shop/*", "", "jane", NOW, None)),
    blamed=st.sampled_from([(), ("shop/db",)]),
)
ids = st.sampled_from(["shop/web", "", *HOSTILE]) | st.text(max_size=40)


def may_act(facts: Facts, step: Step) -> bool:
    """The promise in one place, written from the design and not from the gates."""
    owner_agrees = facts.workload is not None and facts.workload.enabled and not facts.workload.hold
    still_so = facts.alert.state is AlertState.ACTIVE and not facts.alert.problem
    within_caps = step.tier is not Tier.HARD or all(
        sum(NOW - cap.window < step.at for step in facts.steps) < cap.count for cap in facts.limits.caps
    )
    is_cool = step.tier is not Tier.HARD or all(step.at + facts.limits.cooldown_s <= NOW for step in facts.steps)
    nobody_else = facts.hold is None and not facts.blamed
    return owner_agrees and nobody_else and still_so and within_caps and is_cool and not facts.limits.dry_run


@given(workload_id=ids, ladder=st.none() | ladders, tried=st.sets(st.integers(0, 6)), facts=facts_)
def test_acts_exactly_when_everything_allows_it(workload_id, ladder, tried, facts):
    decision = plan(Request(workload_id, "memory", ladder, tried), facts)

    if isinstance(decision, Act):
        assert is_workload_id(workload_id)
        assert ladder is not None
        assert decision.index not in tried
        assert ladder.steps[decision.index] == decision.step
        assert may_act(facts, decision.step)
        skipped = set(range(decision.index)) - tried
        assert all(isinstance(ladder.steps[index], HookStep) for index in skipped)
    elif isinstance(decision, Refusal):
        assert decision.reason
        assert decision.detail
    else:
        assert isinstance(decision, Exhausted)


@given(step=steps, facts=facts_)
def test_gates_let_through_only_what_may_be_done(step, facts):
    refusal = first_refusal(facts, step)

    assert (refusal is None) == may_act(facts, step)


@given(ladder=ladders, facts=facts_)
def test_no_rung_is_given_twice_in_an_episode(ladder, facts):
    given_: list[int] = []
    while isinstance(decision := plan(Request("shop/web", "r", ladder, given_), facts), Act):
        given_.append(decision.index)
        assert len(given_) <= len(ladder.steps)

    assert given_ == sorted(set(given_))
