"""Stage after stage: start its Alertmanagers, play its scenarios at the same time, judge what was seen."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import aiohttp

from tests.conformance.alertmanager import NO_CLUSTER, Alertmanager, peers, pick_port
from tests.conformance.errors import KitError, WrongArgument
from tests.conformance.judging import Verdict
from tests.conformance.ledger import Ledger
from tests.conformance.observations import Observations
from tests.conformance.relay import Receiver, Relay
from tests.conformance.scenario import Scenario, Stage
from tests.conformance.scene import Scene, Site
from tests.conformance.sender import Sender
from tests.conformance.sink import Sink
from tests.conformance.trouble import Troubles

_SETTLE_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Result:
    """``seen`` and ``verdict``: None while the scenario is being played."""

    scenario: Scenario
    seen: Observations | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run against whom. ``workloads``: all of the kit's, also of scenarios that are not chosen."""

    receiver: Receiver
    scenarios: Sequence[Scenario]
    workloads: Sequence[str]
    alertmanager: Path
    alertmanager_port: int
    sink_port: int
    ledger_url: str
    folder: Path


Show = Callable[[Result], None]


async def run(plan: Plan, show: Show) -> list[Result]:
    """In the order of the scenarios. Raises KitError when the kit cannot do its work."""
    try:
        return await _run(plan, show)
    except BaseExceptionGroup as group:
        if (found := _first_leaf(group.subgroup(KitError))) is not None:
            raise found from None
        raise


def _first_leaf(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _run(plan: Plan, show: Show) -> list[Result]:
    troubles = Troubles(plan.workloads)
    sink = Sink(plan.workloads, troubles)
    results: dict[str, Result] = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0)) as session:
        relay = Relay(plan.receiver, session)
        await _refuse_absent(plan.receiver, session)
        ledger = Ledger(plan.ledger_url, session) if plan.ledger_url else None
        try:
            await sink.start(plan.sink_port)
            world = _World(plan, session, relay, await relay.start(), sink, troubles, ledger)
            async with _beside(*([ledger.run()] if ledger else [])):
                for stage in Stage:
                    chosen = [scenario for scenario in plan.scenarios if scenario.stage is stage]
                    if chosen:
                        results |= await _play_stage(stage, chosen, world, show)
        finally:
            await relay.stop()
            await sink.stop()
    return [results[scenario.name] for scenario in plan.scenarios]


@dataclass(frozen=True, slots=True)
class _World:
    """What lasts through all stages."""

    plan: Plan
    session: aiohttp.ClientSession
    relay: Relay
    relay_url: str
    sink: Sink
    troubles: Troubles
    ledger: Ledger | None


async def _play_stage(stage: Stage, scenarios: Sequence[Scenario], world: _World, show: Show) -> Mapping[str, Result]:
    alertmanagers = _alertmanagers(stage, world)
    site = Site(
        alertmanagers=alertmanagers,
        routes={scenario.name: scenario.route for scenario in scenarios},
        sender=Sender(world.session),
        relay=world.relay,
        relay_url=world.relay_url,
        sink=world.sink,
        troubles=world.troubles,
        ledger=world.ledger,
        run=secrets.token_hex(4),
    )
    site.configure()
    async with _running(alertmanagers), _beside(site.sender.run()), asyncio.TaskGroup() as group:
        tasks = {each.name: group.create_task(_play(each, site, show), name=each.name) for each in scenarios}
    return {name: task.result() for name, task in tasks.items()}


async def _play(scenario: Scenario, site: Site, show: Show) -> Result:
    show(Result(scenario))
    scene = Scene(scenario.name, scenario.workloads, site)
    await scenario.play(scene)
    seen = scene.observations()
    result = Result(scenario, seen, scenario.judge(seen))
    await scene.clear()
    show(result)
    return result


def _alertmanagers(stage: Stage, world: _World) -> list[Alertmanager]:
    """The first one listens where receivers are told to ask."""
    plan = world.plan

    def one(port: int, cluster: Sequence[str] = NO_CLUSTER) -> Alertmanager:
        folder = plan.folder / f"{stage.name.lower()}-{port}"
        return Alertmanager(plan.alertmanager, folder, port, world.session, cluster)

    match stage:
        case Stage.ALONE | Stage.RELOADED | Stage.KILLED:
            return [one(plan.alertmanager_port)]
        case Stage.PAIR:
            first, second = peers(pick_port(), pick_port())
            return [one(plan.alertmanager_port, first), one(pick_port(), second)]
        case _ as never:
            assert_never(never)


@contextlib.asynccontextmanager
async def _running(alertmanagers: Sequence[Alertmanager]) -> AsyncIterator[None]:
    try:
        await asyncio.gather(*(each.start() for each in alertmanagers))
        async with asyncio.timeout(_SETTLE_WITHIN_S):
            while not all([await each.is_settled() for each in alertmanagers]):
                await asyncio.sleep(0.1)
        yield
    except TimeoutError as err:
        raise KitError(f"the two Alertmanagers do not find each other within {_SETTLE_WITHIN_S:g} s") from err
    finally:
        await asyncio.gather(*(each.kill() for each in alertmanagers))


@contextlib.asynccontextmanager
async def _beside(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Meanwhile; when it fails, so does the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()


async def _refuse_absent(receiver: Receiver, session: aiohttp.ClientSession) -> None:
    """Every scenario would fail, and say less."""
    try:
        async with session.get(receiver.url, allow_redirects=False):
            return
    except aiohttp.InvalidURL:
        raise WrongArgument(f"--url {receiver.url}: is no URL; allowed: http://HOST:PORT/PATH") from None
    except aiohttp.ClientError as err:
        raise WrongArgument(f"--url {receiver.url}: nothing answers there: {err}") from err
