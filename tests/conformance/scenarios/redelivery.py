"""The same alert delivered again, for every reason that Alertmanager has."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.conformance.judging import Verdict, acted_once, arose, first_of, unclaimed
from tests.conformance.observations import Delivery, Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario, Stage
from tests.conformance.scene import Scene

_REPEATED = ("repeat-lasting", "repeat-mended")


async def _play_repeat(scene: Scene) -> None:
    await scene.fire(*_REPEATED, mends=("repeat-mended",))
    await scene.acted(*_REPEATED)
    await scene.delivered(_repeats)
    await scene.quiet()


def _repeats(deliveries: Sequence[Delivery]) -> bool:
    """The first delivery of each, and two more."""
    return all(len(Observations(deliveries).deliveries_of(name)) >= 3 for name in _REPEATED)


def _judge_repeat(seen: Observations) -> Verdict:
    keys = [_keys(seen.deliveries, name) for name in _REPEATED]
    return first_of(
        acted_once(seen, *_REPEATED),
        unclaimed(seen, "repeat-lasting"),
        arose(_repeats(seen.deliveries) and all(len(each) == 1 for each in keys), "not three deliveries of each group"),
    )


def _keys(deliveries: Sequence[Delivery], workload: str) -> set[str]:
    return {each.group_key for each in Observations(deliveries).deliveries_of(workload)}


REPEAT_INTERVAL = Scenario(
    name="repeat-interval",
    trap="An unchanged group comes again at every repeat_interval (4 h by default, rounded up to group_interval).",
    source="notify/dedup_stage: needsUpdate; docs: configuration, repeat_interval",
    sends="two alerts, repeated every 2 s: of one the trouble lasts, of one the action ends it",
    workloads=_REPEATED,
    play=_play_repeat,
    judge=_judge_repeat,
    route=Route(group_by=("workload",), repeat_interval="2s"),
)

_EDITED = ("edit-lasting", "edit-mended")
_UNEDITED = Route(group_wait="500ms")  # time for both to be in the first delivery
_EDITS = (replace(_UNEDITED, matchers=('severity="critical"',)), replace(_UNEDITED, group_by=("scenario", "run")))


async def _play_edit(scene: Scene) -> None:
    await scene.fire(*_EDITED, mends=("edit-mended",))
    await scene.acted(*_EDITED)
    await scene.delivered(_has_keys(1))
    await scene.quiet(2.0)  # the receiver may have called it over by then
    for number, route in enumerate(_EDITS, start=2):
        await scene.edit_route(route)
        await scene.delivered(_has_keys(number))
    await scene.quiet()


def _has_keys(count: int) -> Callable[[Sequence[Delivery]], bool]:
    """A group's first delivery may have only one of its alerts: both have to be seen under so many groupKeys."""
    return lambda deliveries: all(len(_keys(deliveries, name)) >= count for name in _EDITED)


def _judge_edit(seen: Observations) -> Verdict:
    keys = _keys(seen.deliveries, "edit-lasting")
    prints = {alert.fingerprint for each in seen.deliveries if (alert := each.of("edit-lasting"))}
    return first_of(
        acted_once(seen, *_EDITED),
        unclaimed(seen, "edit-lasting"),
        arose(
            len(keys) > len(_EDITS) and len(prints) == 1, f"{len(keys)} groupKeys, {len(prints)} fingerprints, not 3, 1"
        ),
    )


ROUTE_EDIT = Scenario(
    name="route-edit",
    trap="An edited route changes groupKey and sends everything again; fingerprint and startsAt stay.",
    source="dispatch: groupKey is made of the route's path and matchers",
    sends="two alerts; then the route gets a matcher, and another group_by, and is reloaded each time",
    workloads=_EDITED,
    play=_play_edit,
    judge=_judge_edit,
    stage=Stage.RELOADED,
    route=_UNEDITED,
)


async def _play_killed(scene: Scene) -> None:
    await scene.fire("killed-lasting", "killed-mended", mends=("killed-mended",))
    await scene.acted("killed-lasting", "killed-mended")
    await scene.quiet(2.0)
    await scene.alertmanager.kill()
    scene.mark("the kill")
    await scene.alertmanager.start()
    await scene.quiet()


def _judge_killed(seen: Observations) -> Verdict:
    again = [each for each in seen.deliveries if each.at > seen.marks["the kill"]]
    return first_of(
        acted_once(seen, "killed-lasting", "killed-mended"),
        unclaimed(seen, "killed-lasting"),
        arose(again, "no delivery after Alertmanager was started again"),
    )


ALERTMANAGER_KILLED = Scenario(
    name="alertmanager-killed",
    trap="After a crash Alertmanager knows neither alerts nor what it has sent: everything comes again.",
    source="nflog and silences are saved every 15 min only, alerts never",
    sends="two alerts; SIGKILL of Alertmanager, and a new start on the same data",
    workloads=("killed-lasting", "killed-mended"),
    play=_play_killed,
    judge=_judge_killed,
    stage=Stage.KILLED,
    route=Route(group_by=("workload",)),
)


async def _play_late(scene: Scene) -> None:
    await scene.fire("late-lasting", "late-mended", mends=("late-mended",))
    await scene.acted("late-lasting", "late-mended")
    await scene.quiet(2.0)
    await scene.resolve("late-lasting", "late-mended")
    await scene.delivered(lambda all_: any(each.status == "resolved" for each in all_))
    await scene.quiet(2.0)
    if fired := [each for each in scene.wire.deliveries if each.status == "firing"]:
        scene.mark("copy")
        await scene.site.relay.replay(scene.name, fired[0])
    await scene.quiet()


def _judge_late(seen: Observations) -> Verdict:
    is_resolved = bool(seen.deliveries_of("late-lasting", firing=False))
    return first_of(
        acted_once(seen, "late-lasting", "late-mended"),
        unclaimed(seen, "late-lasting"),
        arose(is_resolved and "copy" in seen.marks, "no resolved was delivered before the late copy"),
    )


LATE_COPY = Scenario(
    name="late-copy",
    trap="Deliveries have no order: a firing that was held up in the network arrives after its resolved.",
    source="notify/retry_stage resends on a new connection; nothing in the payload counts up",
    sends="two alerts, their end (of one the trouble lasts), and then a copy of the first delivery",
    workloads=("late-lasting", "late-mended"),
    play=_play_late,
    judge=_judge_late,
    route=Route(group_wait="500ms"),
)
