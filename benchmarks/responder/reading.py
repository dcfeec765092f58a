"""What is left after a run: the ledger as a store has it, and what the neighbours saw."""

from pathlib import Path

import aiohttp

from benchmarks.responder.audit import Hit, Ledger
from benchmarks.responder.site import Neighbourhood, Site
from responder.ledger import Store
from responder.readapi import verified
from responder.store_sqlite import SqliteStore

_ALL = 1_000_000
_PAGE = 2000


async def ledger(store: Store) -> Ledger:
    """All of it; the chain is walked by the responder's own check."""
    lines, last_id = [], 0
    while page := await store.links(last_id, _PAGE):
        lines += page
        last_id = page[-1].id
    episodes = list(reversed(await store.episodes(_ALL)))
    return Ledger(episodes, lines, (await verified(store))["problems"])


async def file_ledger(site: Site) -> Ledger:
    """Of a responder that has ended: it has the file to itself."""
    store = SqliteStore(site.state / "responder.sqlite3")
    try:
        return await ledger(store)
    finally:
        await store.close()


def file_bytes(site: Site) -> int:
    return sum(path.stat().st_size for path in Path(site.state).glob("responder.sqlite3*"))


async def seen(near: Neighbourhood, session: aiohttp.ClientSession) -> list[Hit]:
    """Every deed. Raises RuntimeError when the responder asked what its neighbours could not answer."""
    async with session.get(f"{near.url}/bench/seen?hits=0&ended=0") as response:
        data = await response.json()
    if data["unknown"]:
        raise RuntimeError(f"benchmarks/responder/world.py has no answer to {data['unknown']}")
    return [Hit(*hit) for hit in data["hits"]]
