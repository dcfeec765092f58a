"""Every kind of damage to a file that a running compose shop reads: how soon it is noticed, and put back for good.

homeostat runs natively, as shipped, over the shop's containers; who says that the shop reads what is right is the shop.
"""

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.progress import Progress

from benchmarks.config.damage import KINDS
from chaos.harness import Stack, free_ports
from chaos.scene import MANY_CAPS
from chaos.shop import FOLDER, ComposeShop
from chaos.timeline import Follower, Timeline
from homeostat.clock import SystemClock

NAME = "offer"
_WORKLOAD = f"file/{NAME}"
_DEADLINE_S = 60.0
_READY_WITHIN_S = 90.0
#: Between two: the last alert has ended by then.
_REST_S = 12.0
_SCRAPE_S = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds from the damage; infinite for what did not come. ``reads_well``: what the shop answered afterwards."""

    kind: str
    detected_s: float
    verified_s: float
    is_same: bool
    reads_well: bool
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class _Scene:
    offer: Path
    shop: ComposeShop
    follower: Follower
    session: aiohttp.ClientSession


async def corruption(runs: int, seed: int, folder: Path, progress: Progress) -> list[Outcome]:
    """Each kind ``runs`` times, in random order."""
    rng = random.Random(seed)
    async with _scene(folder) as scene:
        kinds = [kind for kind in KINDS for _ in range(runs)]
        rng.shuffle(kinds)
        task = progress.add_task("corruption", total=len(kinds))
        outcomes = []
        for kind in kinds:
            outcomes.append(await _play(scene, kind, rng))
            last = outcomes[-1]
            progress.console.print(
                f"{kind}: noticed {last.detected_s:.1f} s, {last.timeline.final or 'not ended'} {last.verified_s:.1f} s"
                f"{'' if last.is_same and last.reads_well else ', NOT AS IT WAS'}",
                markup=False,
            )
            progress.advance(task)
        return outcomes


@contextlib.asynccontextmanager
async def _scene(folder: Path) -> AsyncIterator[_Scene]:
    config, clock = folder / "config", SystemClock()
    shutil.copytree(FOLDER / "config", config)
    schema = folder / "offer.schema.yml"
    shutil.copy(FOLDER / "config/offer.schema.yml", schema)
    offer = config / f"{NAME}.env"
    [port] = free_ports(1)
    shop = ComposeShop(f"{folder.name}-shop".lower(), port, folder / "logs", config)
    managed = {
        NAME: {
            "path": str(offer),
            "schema": str(schema),
            "workloads": [shop.workload],
            "rereads": "itself",
            "max_mode": "0644",
        }
    }
    stack = Stack(folder / "site", "native", {**MANY_CAPS, "docker": {"enabled": True}, "config_files": managed})
    stack.configure()
    async with contextlib.AsyncExitStack() as exits:
        exits.push_async_callback(shop.down)
        await shop.up()
        exits.push_async_callback(stack.down)
        await stack.up()
        session = await exits.enter_async_context(aiohttp.ClientSession())
        follower = Follower(f"http://{stack.settings.responder.listen}", session, clock)
        await _until_known(stack, session)
        yield _Scene(offer, shop, follower, session)


async def _until_known(stack: Stack, session: aiohttp.ClientSession) -> None:
    """The exporter has kept the first good version, and Prometheus has heard of the file."""
    url = f"http://{stack.settings.stack.prometheus}/api/v1/query"
    query = {"query": f'homeostat_config_file_versions{{file="{NAME}"}} >= 1'}
    async with asyncio.timeout(_READY_WITHIN_S):
        while True:
            async with session.get(url, params=query) as response:
                if (await response.json())["data"]["result"]:
                    return
            await asyncio.sleep(0.5)


async def _play(scene: _Scene, kind: str, rng: random.Random) -> Outcome:
    before = (scene.offer.read_bytes(), scene.offer.stat().st_mode)
    await asyncio.sleep(_REST_S + rng.uniform(0, _SCRAPE_S))
    at = scene.follower.clock.now()
    await asyncio.to_thread(KINDS[kind], scene.offer, rng)
    timeline = await scene.follower.follow(kind, _WORKLOAD, at, _DEADLINE_S, lambda _: None)
    seconds = timeline.seconds()
    return Outcome(
        kind=kind,
        detected_s=_or_never(seconds["fault_to_alert"]),
        verified_s=_or_never(seconds["total"]) if timeline.is_verified else float("inf"),
        is_same=await asyncio.to_thread(_is_same, scene.offer, before),
        reads_well=await _reads_well(scene),
        timeline=timeline,
    )


def _or_never(seconds: float | None) -> float:
    return float("inf") if seconds is None else seconds


def _is_same(path: Path, before: tuple[bytes, int]) -> bool:
    return path.is_file() and not path.is_symlink() and (path.read_bytes(), path.stat().st_mode) == before


async def _reads_well(scene: _Scene) -> bool:
    async with scene.session.get(f"{scene.shop.url}/offer") as response:
        return response.status == 200 and (await response.json()).get("OFFER_CURRENCY") == "EUR"
