"""People mute an alert after it has fired: Alertmanager then only stops sending, and says nothing."""

from collections.abc import Awaitable, Callable

from tests.conformance.judging import Outcome, Verdict, acted, arose, first_of, kept_still, unclaimed
from tests.conformance.observations import Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario
from tests.conformance.scene import QUIET_S, Scene
from tests.conformance.trouble import label_value

#: A receiver that looks again every few seconds must have looked while it was muted.
_MUTED_S = 8.0
#: Workloads for which the receiver should have a second step, a POST of its own to the sink.
TWO_STEPS = ("silenced-rungs", "inhibited-rungs")


async def _play_in_flight(scene: Scene) -> None:
    scene.wire.open.clear()
    await scene.alert("in-flight")
    await scene.arrived()
    silence = await scene.alertmanager.silence(label_value("in-flight"))
    scene.mark("the silence")
    # Only now: a receiver that reads Alertmanager's list may have seen the alert before the silence was there.
    scene.begin("in-flight", mends=("in-flight",))
    await scene.quiet(2.0)
    scene.wire.open.set()
    await scene.quiet(_MUTED_S)
    scene.mark("its end")
    await scene.alertmanager.expire(silence)
    await scene.acted("in-flight")
    await scene.quiet()


def _judge_in_flight(seen: Observations) -> Verdict:
    early = seen.actions_on("in-flight", until="the silence")
    return first_of(
        Verdict(Outcome.NOT_APPLICABLE, "acted before the silence was there") if early else None,
        kept_still(seen, "in-flight", since="the silence", until="its end"),
        None if early else acted(seen, "in-flight", since="its end"),
        arose(_was_held_up(seen), "no delivery reached the receiver while the alert was silenced"),
    )


def _was_held_up(seen: Observations) -> bool:
    start, end = seen.marks["the silence"], seen.marks["its end"]
    return any(start < each.at < end for each in seen.deliveries)


SILENCED_IN_FLIGHT = Scenario(
    name="silenced-in-flight",
    trap="A silence keeps Alertmanager from sending, and not the receiver from acting on what was sent before.",
    source="silences act in the notification pipeline only; /api/v2/alerts says who is muted",
    sends=f"an alert that is silenced while its delivery is under way; the silence ends {_MUTED_S + 2:g} s later",
    workloads=("in-flight",),
    play=_play_in_flight,
    judge=_judge_in_flight,
    route=Route(repeat_interval="2s"),
)


async def _play_rungs(scene: Scene, mute: Callable[[], Awaitable[Callable[[], Awaitable[None]]]]) -> None:
    (workload,) = scene.workloads
    await scene.fire(workload)
    await scene.acted(workload)
    unmute = await mute()
    scene.mark("the muting")
    await scene.quiet(_MUTED_S)
    scene.mark("its end")
    await unmute()
    await scene.acted(workload, times=2)
    await scene.quiet(QUIET_S)


async def _play_silenced(scene: Scene) -> None:
    async def mute() -> Callable[[], Awaitable[None]]:
        silence = await scene.alertmanager.silence(label_value("silenced-rungs"))
        return lambda: scene.alertmanager.expire(silence)

    await _play_rungs(scene, mute)


async def _play_inhibited(scene: Scene) -> None:
    async def mute() -> Callable[[], Awaitable[None]]:
        await scene.inhibit("inhibited-rungs")
        return lambda: scene.uninhibit("inhibited-rungs")

    await _play_rungs(scene, mute)


def _judge_rungs(workload: str) -> Callable[[Observations], Verdict]:
    def judge(seen: Observations) -> Verdict:
        more = seen.actions_on(workload, since="its end")
        return first_of(
            acted(seen, workload, until="the muting"),
            kept_still(seen, workload, since="the muting", until="its end"),
            acted(seen, workload, since="its end") if more else None,
            unclaimed(seen, workload),
            None if more else Verdict(Outcome.NOT_APPLICABLE, "the receiver has no second step for this workload"),
        )

    return judge


SILENCED_BETWEEN = Scenario(
    name="silenced-between-rungs",
    trap="Between two steps somebody silences the alert: the next step must not be taken.",
    source="an alert that is muted after it fired simply stops arriving",
    sends=f"an alert; after the first action it is silenced for {_MUTED_S:g} s",
    workloads=("silenced-rungs",),
    play=_play_silenced,
    judge=_judge_rungs("silenced-rungs"),
)

INHIBITED_BETWEEN = Scenario(
    name="inhibited-between-rungs",
    trap="Between two steps another alert inhibits this one: the next step must not be taken.",
    source="inhibition acts in the notification pipeline only",
    sends=f"an alert; after the first action another alert inhibits it for {_MUTED_S:g} s",
    workloads=("inhibited-rungs",),
    play=_play_inhibited,
    judge=_judge_rungs("inhibited-rungs"),
)
