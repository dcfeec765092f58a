"""How fast the receiver answers, and what it does when its answer is lost."""

from statistics import median

from tests.conformance.judging import Verdict, acted, acted_once, arose, fail, first_of
from tests.conformance.observations import Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario
from tests.conformance.scene import Scene

#: Longer than any answer may take: who acts inside the request is seen to.
_ACTION_TAKES_S = 3.0
#: "Well under a second": half of the answers, and every one of them even on a busy machine.
_USUALLY_S, _ALWAYS_S = 0.3, 1.0
_LOST = 2


async def _play_prompt(scene: Scene) -> None:
    scene.site.sink.takes_s["prompt"] = _ACTION_TAKES_S
    await scene.fire("prompt")
    await scene.acted("prompt")
    scene.mark("acting")
    # While the action is under way, the alert comes again every second.
    await scene.quiet(2 * _ACTION_TAKES_S)


def _slow(seen: Observations) -> Verdict | None:
    took = [each.took_s for each in seen.deliveries] or [0.0]
    if max(took) > _ALWAYS_S:
        return fail(f"answered after {max(took):.2f} s; allowed: {_ALWAYS_S:g} s")
    if median(took) > _USUALLY_S:
        return fail(f"half of the answers took {median(took):.2f} s or more; allowed: {_USUALLY_S:g} s")
    return None


def _judge_prompt(seen: Observations) -> Verdict:
    meanwhile = [each for each in seen.deliveries if each.at > seen.marks["acting"]]
    return first_of(
        _slow(seen),
        acted(seen, "prompt"),
        arose(meanwhile, "no delivery while the action was under way"),
    )


PROMPT_ANSWER = Scenario(
    name="prompt-answer",
    trap="A request that lasts as long as the action is given up by Alertmanager and made again, for ever.",
    source="dispatch: a flush ends after max(group_interval, 10 s); prometheus-am-executor acts inside the request",
    sends=f"an alert, again every second, while the action takes {_ACTION_TAKES_S:g} s",
    workloads=("prompt",),
    play=_play_prompt,
    judge=_judge_prompt,
    route=Route(repeat_interval="1s"),
)


async def _play_lost(scene: Scene) -> None:
    scene.wire.lose_answers = _LOST
    await scene.fire("answer-lost")
    await scene.acted("answer-lost")
    await scene.delivered(lambda all_: len(all_) > _LOST)
    await scene.quiet()


def _judge_lost(seen: Observations) -> Verdict:
    return first_of(
        acted_once(seen, "answer-lost"),
        arose(len(seen.deliveries) > _LOST, "Alertmanager did not send it again"),
    )


ANSWER_LOST = Scenario(
    name="answer-lost",
    trap="The receiver has it, its answer is lost: Alertmanager sends it again. At least once, by design.",
    source="notify/retry_stage: transport errors and 5xx are retried with backoff",
    sends=f"an alert; the connection breaks before the first {_LOST} answers arrive",
    workloads=("answer-lost",),
    play=_play_lost,
    judge=_judge_lost,
)
