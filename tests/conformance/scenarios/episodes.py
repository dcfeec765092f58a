"""Where one trouble begins and ends, which no field of the payload says by itself."""

import asyncio

from tests.conformance.judging import Verdict, acted, acted_once, arose, first_of, unclaimed
from tests.conformance.observations import Observations
from tests.conformance.routes import Route
from tests.conformance.scenario import Scenario
from tests.conformance.scene import PROMETHEUS_SEES_S, Scene

_ZERO = "0001-01-01T00:00:00Z"


async def _play_zero(scene: Scene) -> None:
    await scene.fire("zero-end", mends=("zero-end",))
    await scene.acted("zero-end")
    await scene.quiet()


def _judge_zero(seen: Observations) -> Verdict:
    ends = {alert.ends_at for each in seen.deliveries_of("zero-end", firing=True) if (alert := each.of("zero-end"))}
    return first_of(
        acted_once(seen, "zero-end"),
        arose(ends == {_ZERO}, f"endsAt of the firing alert was {', '.join(sorted(ends)) or 'not seen'}"),
    )


ZERO_END = Scenario(
    name="zero-end",
    trap=f"endsAt is {_ZERO} while an alert fires: no end yet, and not an end long ago.",
    source="dispatch sets it to Go's zero time; alertmanager #3341",
    sends="an alert, with the end four times the resend delay ahead as Prometheus writes it",
    workloads=("zero-end",),
    play=_play_zero,
    judge=_judge_zero,
)

_GAP_S = 3.0


async def _play_moved(scene: Scene) -> None:
    scene.begin("moved-start")
    await asyncio.sleep(PROMETHEUS_SEES_S)
    await scene.alert_once("moved-start", lasts_s=_GAP_S - 1.0)
    await scene.quiet(_GAP_S)
    await scene.alert("moved-start")  # Prometheus is back, and takes it for a new one
    await scene.acted("moved-start")
    await scene.delivered(lambda all_: len(all_) > 1)
    await scene.quiet()


def _judge_moved(seen: Observations) -> Verdict:
    starts = {alert.starts_at for each in seen.deliveries if (alert := each.of("moved-start"))}
    ends = seen.deliveries_of("moved-start", firing=False)
    return first_of(
        acted_once(seen, "moved-start"),
        unclaimed(seen, "moved-start"),
        arose(len(starts) > 1 and not ends, f"{len(starts)} startsAt and {len(ends)} resolved, not 2 and 0"),
    )


MOVED_START = Scenario(
    name="moved-start",
    trap="A restart of Prometheus moves startsAt of a trouble that never ended; no resolved comes in between.",
    source="provider/mem merges alerts only where they overlap; rules without `for` are not restored",
    sends="an alert whose sender falls silent for 3 s, and comes back with another startsAt",
    workloads=("moved-start",),
    play=_play_moved,
    judge=_judge_moved,
    route=Route(group_interval="6s", repeat_interval="6s"),
)

#: For a receiver that reads Alertmanager's list, to see that an alert is gone from it.
_RECONCILE_S = 5.0


async def _play_second(scene: Scene) -> None:
    await scene.fire("second-trouble", mends=("second-trouble",))
    await scene.acted("second-trouble")
    await scene.end("second-trouble")
    await scene.delivered(lambda all_: any(each.status == "resolved" for each in all_))
    await scene.quiet(_RECONCILE_S)
    scene.mark("the second trouble")
    await scene.fire("second-trouble", mends=("second-trouble",))
    await scene.acted("second-trouble", times=2)
    await scene.quiet()


def _judge_second(seen: Observations) -> Verdict:
    return first_of(
        acted(seen, "second-trouble", until="the second trouble"),
        acted(seen, "second-trouble", since="the second trouble"),
        arose(seen.deliveries_of("second-trouble", firing=False), "no resolved was delivered in between"),
    )


SECOND_TROUBLE = Scenario(
    name="second-trouble",
    trap="The same fingerprint fires anew: who only remembers fingerprints never acts again.",
    source="fingerprint is the hash of the labels, and those are the same each time",
    sends="an alert, its end, and the same alert again with a new startsAt",
    workloads=("second-trouble",),
    play=_play_second,
    judge=_judge_second,
)

_UNTOLD = ("untold-mended", "untold-lasting")


async def _play_untold(scene: Scene) -> None:
    await scene.fire(*_UNTOLD, mends=("untold-mended",))
    await scene.acted(*_UNTOLD)
    await scene.quiet(4.0)
    await scene.end(*_UNTOLD)
    await scene.quiet(_RECONCILE_S)
    scene.mark("the second trouble")
    await scene.fire(*_UNTOLD, mends=_UNTOLD)
    await scene.acted(*_UNTOLD, times=2)
    await scene.quiet()


def _judge_untold(seen: Observations) -> Verdict:
    told = [each for name in _UNTOLD for each in seen.deliveries_of(name, firing=False)]
    first = [acted(seen, name, until="the second trouble") for name in _UNTOLD]
    second = [acted(seen, name, since="the second trouble") for name in _UNTOLD]
    return first_of(*first, *second, arose(not told, "a resolved was delivered"))


NO_RESOLVED = Scenario(
    name="no-resolved",
    trap="resolved may never come: what only a resolved can end stays open for ever, and is deaf to new trouble.",
    source="alertmanager #2570; send_resolved: false strips it, a restart of Alertmanager forgets it",
    sends="two alerts that end without a resolved, and 5 s later the same alerts with a new startsAt",
    workloads=_UNTOLD,
    play=_play_untold,
    judge=_judge_untold,
    route=Route(group_by=("workload",), send_resolved=False),
)
