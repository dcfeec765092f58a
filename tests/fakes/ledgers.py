"""Stores for tests: each kind on a place of its own, and what every test of a ledger says and asks."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fakes.databases import Redis
from fakes.stack import pick_port

from responder import chain
from responder.ledger import Alert, Episode, Link, Store
from responder.redisstore.place import Place
from responder.store_redis import RedisStore
from responder.store_sqlite import SqliteStore

NOW = 1_000_000.0
LABELS = {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down"}
A, B, C = ("a" * 16, "b" * 16, "c" * 16)


def alert(starts_at: float = NOW - 10, *, fingerprint: str = A, is_firing: bool = True, **labels: str) -> Alert:
    return Alert(fingerprint, {**LABELS, **labels}, {"summary": "It is down."}, starts_at, is_firing)


def ended(*, fingerprint: str = A) -> Alert:
    return alert(fingerprint=fingerprint, is_firing=False)


async def opened(store: Store, fingerprint: str = A, workload: str = "shop/web") -> Episode:
    return (await store.accept([alert(fingerprint=fingerprint, workload=workload)], NOW)).opened[0]


async def kinds(store: Store, episode: Episode) -> list[str]:
    return [entry.kind.value for entry in await store.entries(episode.id)]


async def all_links(store: Store) -> list[Link]:
    """In pages, as whoever checks the chain reads them."""
    found: list[Link] = []
    while page := await store.links(found[-1].id if found else 0, 100):
        found += page
    return found


async def chain_problems(store: Store) -> list[str]:
    """What the chain says of all lines and all episodes; nothing when they are as they were written."""
    check = chain.Check()
    return [*check.lines(await all_links(store)), *check.episodes(await store.episodes(100_000))]


class Ledger(Protocol):
    """Where a store is. Each ``open`` opens the same one; not twice at once unless it can be shared."""

    async def open(self) -> Store: ...


@dataclass(frozen=True, slots=True)
class SqliteLedger:
    path: Path

    async def open(self) -> SqliteStore:
        return SqliteStore(self.path)


@dataclass(frozen=True, slots=True)
class RedisLedger:
    url: str
    prefix: str

    async def open(self) -> RedisStore:
        return await RedisStore.open(Place(self.url), self.prefix)


class LedgerRedis(Redis):
    """A Redis that keeps what it answers, unless told otherwise."""

    def __init__(self, programs: Mapping[str, Path], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(programs, folder, pick_port())
        self.url = f"redis://{self.address}"

    def start(self, *options: str) -> None:
        super().start("--appendonly", "yes", "--appendfsync", "always", *options)

    def kill(self) -> None:
        """As a crash would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=10)
        self._process = None
