"""The Store that several responders share: Redis, with what is answered on its disk. Keys: responder/redisstore/keys.py.

Each change is worked out here from what was read, and written in one step if all of that still stands
(redisstore/scripts.py); else it is worked out anew. When the connection is lost in the middle of a write, StoreError is
raised and the write may have been done: as after a crash, whoever reads next sees which.
"""

import asyncio
import contextlib
import json
import math
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from random import random
from typing import TYPE_CHECKING, Any, TypeVar

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
    LostLease,
    Measure,
    NoEpisode,
    StepRecord,
    StoreError,
)
from responder.redisstore import changes, records, scripts
from responder.redisstore.draft import Draft
from responder.redisstore.keys import Keys
from responder.redisstore.place import Place
from responder.redisstore.records import Head

if TYPE_CHECKING:
    from responder.redisstore.server import Server, Session

T = TypeVar("T")

_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: How long whoever came too late has the next turn for itself: longer than the largest delivery takes.
_TURN_MS = 3000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.002, 0.05
#: Fields of one HMGET.
_CHUNK = 1000


class RedisStore:
    """Made by ``open``. ``random``: in [0, 1), spreads the waits after conflicts with others."""

    def __init__(self, server: "Server", keys: Keys, clock: Clock, random: Callable[[], float]) -> None:
        self._server = server
        self._keys = keys
        self._clock = clock
        self._random = random
        self._who = secrets.token_hex(8)
        #: Within one process, changes wait for each other instead of colliding.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        place: Place,
        prefix: str = "homeostat",
        clock: Clock | None = None,
        random: Callable[[], float] = random,
    ) -> "RedisStore":
        """Raises StoreError for a server that cannot be used or would lose what it has answered, and says what to set."""
        if not _PREFIX.fullmatch(prefix):
            raise StoreError(f"the prefix of the ledger's keys is {prefix!r}; allowed: {_PREFIX.pattern}")
        # Not before it is needed: redis-py takes 8 MB.
        from responder.redisstore.server import Server  # noqa: PLC0415 - see above

        store = cls(Server(place), Keys(prefix), clock or SystemClock(), random)
        try:
            await store._begin()
        except BaseException:
            await store.close()
            raise
        return store

    async def accept(self, alerts: Sequence[Alert], now: float) -> Accepted:
        """Write a whole delivery in one transaction."""

        async def work(session: "Session", draft: Draft) -> Accepted:
            latest = await self._latest(session, [alert.fingerprint for alert in alerts])
            return changes.accept(draft, alerts, latest, now)

        return await self._change(work)

    async def append(
        self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float, lease: Lease | None = None
    ) -> Entry:
        async def work(session: "Session", draft: Draft) -> Entry:
            [is_there] = await session.ask(("HEXISTS", self._keys.episodes, episode.id))
            if not is_there:
                raise _none_of(episode.id)
            return draft.line(episode, kind, data, now)

        return await self._change(work, lease)

    async def finish(
        self, episode: Episode, final: Final, reason: str, now: float, lease: Lease | None = None
    ) -> Episode:
        """Give the recovery its one final state. An escalated episode stays open until its trouble ends."""

        async def work(session: "Session", draft: Draft) -> Episode:
            return changes.finish(draft, await self._one(session, episode.id), final, reason, now)

        return await self._change(work, lease)

    async def close_episode(self, episode: Episode, reason: str, now: float, lease: Lease | None = None) -> Episode:
        """The trouble of an escalated episode has ended."""

        async def work(session: "Session", draft: Draft) -> Episode:
            return changes.close(draft, await self._one(session, episode.id), reason, now)

        return await self._change(work, lease)

    async def delivered(self, episodes: Sequence[Episode], now: float) -> None:
        """People were told, by Alertmanager's word. Said once of each."""

        async def work(session: "Session", draft: Draft) -> None:
            changes.deliver(draft, await self._many(session, [one.id for one in episodes]), now)

        await self._change(work)

    async def acquire(self, workload: str, owner: str, ttl_s: float, now: float) -> Lease | None:
        """None while it is somebody else's. ``now``: monotonic, read before the call: the server's time begins later."""
        keys = [self._keys.lease(workload), self._keys.last_token]
        token = await self._write(scripts.ACQUIRE, keys, owner, math.ceil(ttl_s * 1000))
        return None if token is None else Lease(workload, owner, int(token), now + ttl_s)

    async def renew(self, lease: Lease, ttl_s: float, now: float) -> Lease:
        """Raises LostLease, also when it has ended and nobody else has it."""
        value = _value(lease)
        if not await self._write(
            scripts.RENEW, [self._keys.lease(lease.workload)], value, math.ceil(ttl_s * 1000)
        ):
            raise _lost(lease)
        return Lease(lease.workload, lease.owner, lease.token, now + ttl_s)

    async def release(self, lease: Lease) -> None:
        await self._write(scripts.RELEASE, [self._keys.lease(lease.workload)], _value(lease))

    async def episode(self, episode_id: int) -> Episode:
        async with self._reading() as session:
            return await self._one(session, episode_id)

    async def episodes(self, limit: int) -> list[Episode]:
        """The newest first."""
        async with self._reading() as session:
            newest = (await self._head(session)).episode_id
            return await self._many(session, range(newest, max(0, newest - limit), -1))

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

    async def known(self, fingerprints: Sequence[str], ended_since: float) -> set[str]:
        """Of these, those with an open episode or one that ended after ``ended_since``."""
        async with self._reading() as session:
            latest = await self._latest(session, fingerprints)
        return {name for name, one in latest.items() if one.closed_at is None or one.closed_at > ended_since}

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
        return [_step(line) for line in sorted(map(records.read_line, found), key=lambda line: line.id)]

    async def measures(self) -> list[Measure]:
        """What has to be put back, the first due first."""
        async with self._reading() as session:
            [found] = await session.ask(("HVALS", self._keys.measures))
        return sorted(map(records.read_measure, found), key=lambda measure: measure.due_at)

    async def links(self, after_id: int, limit: int) -> list[Link]:
        """Lines as they are stored, from after ``after_id`` on; the newest one for ``after_id`` -1."""
        async with self._reading() as session:
            newest = (await self._head(session)).line_id
            first, last = (newest, newest) if after_id < 0 else (after_id + 1, min(newest, after_id + limit))
            found = await _fields(session, self._keys.lines, range(first, last + 1))
        return [records.read_line(text) for text in found if text is not None]

    async def put_hold(self, hold: Hold) -> None:
        async def work(_session: "Session", draft: Draft) -> None:
            draft.put_hold(hold)

        await self._change(work)

    async def drop_hold(self, pattern: str) -> bool:
        """Whether there was one."""

        async def work(session: "Session", draft: Draft) -> bool:
            [is_there] = await session.ask(("HEXISTS", self._keys.holds, pattern))
            if is_there:
                draft.drop_hold(pattern)
            return bool(is_there)

        return await self._change(work)

    async def holds(self) -> list[Hold]:
        """All, also those that have ended."""
        async with self._reading() as session:
            [found] = await session.ask(("HVALS", self._keys.holds))
        return sorted(map(records.read_hold, found), key=lambda hold: hold.at)

    async def close(self) -> None:
        await self._server.close()
