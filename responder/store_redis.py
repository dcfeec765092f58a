"""The Store that several responders share: a Redis that has on disk what it answers. Keys: redisstore/keys.py.

Each change is worked out here from what was read, and written in one step if all of that still stands
(redisstore/scripts.py); else it is worked out anew. When the connection is lost in the middle of a write, StoreError is
raised and the write may have been done: as after a crash, whoever reads next sees which.
"""

import math
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from random import random
from typing import TYPE_CHECKING

from homeostat.clock import Clock, SystemClock
from responder.ledger import (
    Accepted,
    Alert,
    Counts,
    Entry,
    EntryKind,
    Episode,
    Final,
    Hold,
    Lease,
    Link,
    Measure,
    NoEpisode,
    StepRecord,
    StoreError,
)
from responder.redisstore import changes, fetch, records, scripts
from responder.redisstore.batch import Value
from responder.redisstore.draft import Draft
from responder.redisstore.keys import Keys
from responder.redisstore.place import Place
from responder.redisstore.writer import Writer, lost, value_of

if TYPE_CHECKING:
    from responder.redisstore.server import Server, Session

_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RedisStore:
    """Made by ``open``."""

    def __init__(self, server: "Server", keys: Keys, writer: Writer) -> None:
        self._server = server
        self._keys = keys
        self._writer = writer

    @classmethod
    async def open(
        cls,
        place: Place,
        prefix: str = "homeostat",
        clock: Clock | None = None,
        random: Callable[[], float] = random,
    ) -> "RedisStore":
        """Raises StoreError for a server that cannot be used, or would lose what it has answered; it says what to set.

        Responders with one ``prefix`` share a ledger. ``random``: in [0, 1), spreads waits after conflicts.
        """
        if not _PREFIX.fullmatch(prefix):
            raise StoreError(f"the prefix of the ledger's keys is {prefix!r}; allowed: {_PREFIX.pattern}")
        from responder.redisstore.server import Server  # noqa: PLC0415 - redis-py is 8 MB

        server, keys = Server(place), Keys(prefix)
        store = cls(server, keys, Writer(server, keys, clock or SystemClock(), random))
        try:
            await store._begin()
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def is_shared(self) -> bool:
        return True

    async def accept(self, alerts: Sequence[Alert], now: float) -> Accepted:
        """Write a whole delivery in one transaction."""

        async def work(session: "Session", draft: Draft) -> Accepted:
            latest = await fetch.latest(session, self._keys, (alert.fingerprint for alert in alerts))
            return changes.accept(draft, alerts, latest, now)

        return await self._writer.change(work)

    async def append(
        self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float, lease: Lease | None = None
    ) -> Entry:
        async def work(session: "Session", draft: Draft) -> Entry:
            [is_there] = await session.ask(("HEXISTS", self._keys.episodes, episode.id))
            if not is_there:
                raise NoEpisode(f"no episode {episode.id}")
            return draft.line(episode, kind, data, now)

        return await self._writer.change(work, lease)

    async def finish(
        self, episode: Episode, final: Final, reason: str, now: float, lease: Lease | None = None
    ) -> Episode:
        """Give the recovery its one final state. An escalated episode stays open until its trouble ends."""

        async def work(session: "Session", draft: Draft) -> Episode:
            return changes.finish(draft, await fetch.episode(session, self._keys, episode.id), final, reason, now)

        return await self._writer.change(work, lease)

    async def close_episode(self, episode: Episode, reason: str, now: float, lease: Lease | None = None) -> Episode:
        """The trouble of an escalated episode has ended."""

        async def work(session: "Session", draft: Draft) -> Episode:
            return changes.close(draft, await fetch.episode(session, self._keys, episode.id), reason, now)

        return await self._writer.change(work, lease)

    async def delivered(self, episodes: Sequence[Episode], now: float) -> None:
        """People were told, by Alertmanager's word. Said once of each."""

        async def work(session: "Session", draft: Draft) -> None:
            changes.deliver(draft, await fetch.episodes(session, self._keys, [one.id for one in episodes]), now)

        await self._writer.change(work)

    async def acquire(self, workload: str, owner: str, ttl_s: float, now: float) -> Lease | None:
        """None while it is somebody else's. ``now``: monotonic, read before the call, so that it ends here first."""
        keys = [self._keys.lease(workload), self._keys.last_token]
        token = await self._writer.run(scripts.ACQUIRE, keys, owner, math.ceil(ttl_s * 1000))
        return None if token is None else Lease(workload, owner, int(token), now + ttl_s)

    async def renew(self, lease: Lease, ttl_s: float, now: float) -> Lease:
        """Raises LostLease, also when it has ended and nobody else has it."""
        key, ttl_ms = self._keys.lease(lease.workload), math.ceil(ttl_s * 1000)
        if not await self._writer.run(scripts.RENEW, [key], value_of(lease), ttl_ms):
            raise lost(lease)
        return Lease(lease.workload, lease.owner, lease.token, now + ttl_s)

    async def release(self, lease: Lease) -> None:
        await self._writer.run(scripts.RELEASE, [self._keys.lease(lease.workload)], value_of(lease))

    async def episode(self, episode_id: int) -> Episode:
        async with self._reading() as session:
            return await fetch.episode(session, self._keys, episode_id)

    async def episodes(self, limit: int) -> list[Episode]:
        """The newest first."""
        async with self._reading() as session:
            newest = (await fetch.head(session, self._keys)).episode_id
            return await fetch.episodes(session, self._keys, range(newest, max(0, newest - limit), -1))

    async def unfinished(self, workload: str, limit: int = 100) -> list[Episode]:
        """Those of a workload that have no final state yet, oldest first."""
        return await self._ranked(self._keys.unfinished(workload), "-inf", "+inf", "BYSCORE", "LIMIT", 0, limit)

    async def unfinished_workloads(self) -> list[str]:
        """Workloads with such episodes."""
        return await self._members(self._keys.unfinished_workloads)

    async def escalated(self, after_id: int, limit: int) -> list[Episode]:
        """Escalated ones whose trouble lasts, oldest first, from after ``after_id`` on."""
        return await self._ranked(self._keys.escalated, f"({after_id}", "+inf", "BYSCORE", "LIMIT", 0, limit)

    async def open_episodes(self, limit: int = 1000) -> list[Episode]:
        """Those whose trouble lasts, newest first."""
        return await self._ranked(self._keys.open, "+inf", "-inf", "BYSCORE", "REV", "LIMIT", 0, limit)

    async def open_workloads(self) -> list[str]:
        """Workloads whose trouble lasts."""
        return await self._members(self._keys.open_workloads)

    async def last_ends(self, fingerprints: Sequence[str]) -> dict[str, float]:
        """When the newest episode of each ended, of those that have one; infinity while it lasts."""
        async with self._reading() as session:
            latest = await fetch.latest(session, self._keys, fingerprints)
        return {name: math.inf if one.closed_at is None else one.closed_at for name, one in latest.items()}

    async def opened_since(self, since: float) -> dict[str, float]:
        """When each workload's newest episode was opened, of those opened after ``since``."""
        command = ("ZRANGE", self._keys.opened, f"({since!r}", "+inf", "BYSCORE", "WITHSCORES")
        async with self._reading() as session:
            [found] = await session.ask(command)
        return {name.decode(): float(at) for name, at in zip(found[::2], found[1::2], strict=True)}

    async def counts(self) -> Counts:
        open_, undelivered = ("ZCARD", self._keys.open), ("ZCARD", self._keys.undelivered)
        async with self._reading() as session:
            *_, counted = await session.ask(("MULTI",), open_, undelivered, ("EXEC",))
        return Counts(*counted)

    async def entries(self, episode_id: int) -> list[Entry]:
        """Oldest first."""
        found = await self._picked(self._keys.episode_lines(episode_id), self._keys.lines, "LRANGE", 0, -1)
        return [records.read_entry(text) for text in found]

    async def steps(self, since: float) -> list[StepRecord]:
        """Steps of all workloads that were started from ``since`` on, oldest first."""
        found = await self._picked(self._keys.steps, self._keys.lines, "ZRANGE", repr(since), "+inf", "BYSCORE")
        return [_step(entry) for entry in sorted(map(records.read_entry, found), key=lambda entry: entry.id)]

    async def measures(self) -> list[Measure]:
        """What has to be put back, the first due first."""
        async with self._reading() as session:
            [found] = await session.ask(("HVALS", self._keys.measures))
        return sorted(map(records.read_measure, found), key=lambda measure: measure.due_at)

    async def links(self, after_id: int, limit: int) -> list[Link]:
        """Lines as they are stored, from after ``after_id`` on; the newest one for ``after_id`` -1."""
        async with self._reading() as session:
            newest = (await fetch.head(session, self._keys)).line_id
            first, last = (newest, newest) if after_id < 0 else (after_id + 1, min(newest, after_id + limit))
            found = await fetch.fields(session, self._keys.lines, range(first, last + 1))
        return [records.read_line(text) for text in found]

    async def put_hold(self, hold: Hold) -> None:
        async def work(_session: "Session", draft: Draft) -> None:
            draft.put_hold(hold)

        await self._writer.change(work)

    async def drop_hold(self, pattern: str) -> bool:
        """Whether there was one."""

        async def work(session: "Session", draft: Draft) -> bool:
            [is_there] = await session.ask(("HEXISTS", self._keys.holds, pattern))
            if is_there:
                draft.drop_hold(pattern)
            return bool(is_there)

        return await self._writer.change(work)

    async def holds(self) -> list[Hold]:
        """All, also those that have ended."""
        async with self._reading() as session:
            [found] = await session.ask(("HVALS", self._keys.holds))
        return sorted(map(records.read_hold, found), key=lambda hold: hold.at)

    async def close(self) -> None:
        await self._server.close()

    async def _begin(self) -> None:
        """The first head, then a change of nothing: whoever may not write, or not run scripts, hears it now."""
        async with self._reading() as session:
            await session.ask(("SET", self._keys.head, records.write_head(records.Head()), "NX"))

        async def nothing(_session: "Session", _draft: Draft) -> None:
            return

        await self._writer.change(nothing)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator["Session"]:
        async with self._server.patience(), self._server.session() as session:
            yield session

    async def _ranked(self, index: str, *words: Value) -> list[Episode]:
        return [records.read_episode(text) for text in await self._picked(index, self._keys.episodes, "ZRANGE", *words)]

    async def _picked(self, index: str, key: str, verb: str, *words: Value) -> list[bytes]:
        async with self._reading() as session:
            return await fetch.picked(session, index, key, verb, *words)

    async def _members(self, index: str) -> list[str]:
        async with self._reading() as session:
            [found] = await session.ask(("ZRANGE", index, 0, -1))
        return [name.decode() for name in found]


def _step(started: Entry) -> StepRecord:
    action, tier = str(started.data.get("action", "")), str(started.data.get("tier", ""))
    return StepRecord(started.at, started.episode_id, started.workload, action, tier)
