"""Groups whose members come and go: every delivery carries all of them, and one status for all."""

from tests.conformance.judging import Verdict, acted_once, arose, first_of, unclaimed
from tests.conformance.observations import Delivery, Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario
from tests.conformance.scene import Scene

_MEMBERS = ("member-a", "member-b", "member-c")


async def _play_members(scene: Scene) -> None:
    for workload in _MEMBERS:
        await scene.fire(workload)
        await scene.acted(workload)
    await scene.end("member-c")
    await scene.delivered(lambda all_: any(_says(each, "member-c", "resolved") for each in all_))
    await scene.quiet()


def _judge_members(seen: Observations) -> Verdict:
    together = max((len(each.alerts) for each in seen.deliveries), default=0)
    return first_of(
        acted_once(seen, *_MEMBERS),
        unclaimed(seen, "member-a"),
        arose(together == len(_MEMBERS), "the three alerts were never in one delivery"),
        arose(len(seen.deliveries_of("member-a")) > len(_MEMBERS), "the end of one member brought no delivery"),
    )


GROUP_MEMBERS = Scenario(
    name="group-members",
    trap="A new member, and the end of one, send all other members again.",
    source="notify/dedup_stage: a group is sent whole when its set of alerts changes",
    sends="three alerts of one group, one after another; then the last one ends",
    workloads=_MEMBERS,
    play=_play_members,
    judge=_judge_members,
)


async def _play_mixed(scene: Scene) -> None:
    await scene.fire("mixed-ending", mends=("mixed-ending",))
    await scene.acted("mixed-ending")
    # Both within one group_interval: the next delivery tells of the beginning and of the end together.
    scene.begin("mixed-starting")
    await scene.end("mixed-ending")
    await scene.alert("mixed-starting")
    await scene.acted("mixed-starting")
    await scene.delivered(lambda all_: any(_is_mixed(each) for each in all_))
    await scene.quiet()


def _is_mixed(delivery: Delivery) -> bool:
    is_one = _says(delivery, "mixed-starting", "firing") and _says(delivery, "mixed-ending", "resolved")
    return delivery.status == "firing" and is_one


def _judge_mixed(seen: Observations) -> Verdict:
    return first_of(
        acted_once(seen, "mixed-ending", "mixed-starting"),
        unclaimed(seen, "mixed-starting"),
        arose(any(_is_mixed(each) for each in seen.deliveries), "no delivery had one firing and one resolved alert"),
    )


def _says(delivery: Delivery, workload: str, status: str) -> bool:
    alert = delivery.of(workload)
    return alert is not None and alert.status == status


MIXED_GROUP = Scenario(
    name="mixed-group",
    trap="Top-level status is firing when any member fires: it says nothing about one alert.",
    source="template/alerts status; alertmanager #1051, #1423",
    sends="two alerts of one group: one begins while the other one ends, in one delivery",
    workloads=("mixed-ending", "mixed-starting"),
    play=_play_mixed,
    judge=_judge_mixed,
    route=Route(group_interval="5s"),
)
