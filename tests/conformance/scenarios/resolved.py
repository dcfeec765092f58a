"""resolved is not evidence of recovery. What a receiver claims is seen in its ledger only."""

import asyncio

from tests.conformance.judging import Verdict, acted_once, arose, first_of, ledger_knows, unclaimed
from tests.conformance.observations import Observations
from tests.conformance.scenario import Scenario
from tests.conformance.scene import PROMETHEUS_SEES_S, Scene

_SENDER_LIVES_S = 4.0


async def _play_silent(scene: Scene) -> None:
    scene.begin("silent-sender")
    await asyncio.sleep(PROMETHEUS_SEES_S)
    await scene.alert_once("silent-sender", lasts_s=_SENDER_LIVES_S)
    await scene.acted("silent-sender")
    await scene.delivered(lambda all_: any(each.status == "resolved" for each in all_))
    await scene.quiet()


def _judge_silent(seen: Observations) -> Verdict:
    # One that looks first may find that the alert has ended.
    has_acted = bool(seen.actions_on("silent-sender"))
    return first_of(
        acted_once(seen, "silent-sender") if has_acted else None,
        ledger_knows(seen, "silent-sender"),
        unclaimed(seen, "silent-sender"),
        arose(seen.deliveries_of("silent-sender", firing=False), "no resolved was delivered"),
    )


SILENT_SENDER = Scenario(
    name="silent-sender",
    trap="A dead Prometheus resolves its alerts: they end at the endsAt that it wrote last (about 4 min ahead).",
    source="rules/alerting: endsAt = now + 4 x max(interval, resend delay); measured: nothing had healed",
    sends=f"an alert once, its end {_SENDER_LIVES_S:g} s ahead; then silence, and the trouble goes on",
    workloads=("silent-sender",),
    play=_play_silent,
    judge=_judge_silent,
)


async def _play_own(scene: Scene) -> None:
    acted = asyncio.Event()
    scene.site.sink.then["own-action"] = acted.set
    await scene.fire("own-action")
    await scene.acted("own-action")
    if acted.is_set():
        await scene.resolve("own-action")  # the old container's series is gone, and its alert with it
    await scene.delivered(lambda all_: any(each.status == "resolved" for each in all_))
    await scene.quiet()


def _judge_own(seen: Observations) -> Verdict:
    return first_of(
        acted_once(seen, "own-action"),
        ledger_knows(seen, "own-action"),
        unclaimed(seen, "own-action"),
        arose(seen.deliveries_of("own-action", firing=False), "no resolved was delivered"),
    )


OWN_ACTION = Scenario(
    name="resolved-by-own-action",
    trap="The receiver's own restart resolves the alert: the old container's series vanishes, and nothing is mended.",
    source="Prometheus: a rule whose series is gone resolves; alertmanager #1607",
    sends="an alert that is resolved as soon as the receiver acts, while the trouble goes on",
    workloads=("own-action",),
    play=_play_own,
    judge=_judge_own,
)
