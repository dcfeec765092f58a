"""How something is written: worked out, committed if what it rests on still stands, else worked out anew."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from homeostat.clock import Clock
from responder.ledger import Lease, LostLease
from responder.redisstore import records, scripts
from responder.redisstore.batch import Value
from responder.redisstore.draft import Draft
from responder.redisstore.keys import Keys
from responder.redisstore.scripts import Script

if TYPE_CHECKING:
    from responder.redisstore.server import Server, Session

T = TypeVar("T")

#: How long whoever came too late has the next turn for itself: longer than the largest delivery takes.
_TURN_MS = 5000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.002, 0.05

#: Reads what it needs and puts down in the draft what is to change. Done again when somebody else was faster.
Work = Callable[["Session", Draft], Awaitable[T]]


@dataclass(slots=True)
class Writer:
    """``random``: in [0, 1), spreads the waits after conflicts with other processes."""

    server: "Server"
    keys: Keys
    clock: Clock
    random: Callable[[], float]
    _who: str = field(default_factory=lambda: secrets.token_hex(8))
    #: Within this process changes wait for each other rather than collide.
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def change(self, work: Work[T], lease: Lease | None = None) -> T:
        """On disk when it returns. Raises StoreError; LostLease, and nothing was written, when ``lease`` is no more."""
        async with self.server.patience(), contextlib.AsyncExitStack() as stack:
            async with self._lock:
                session = await stack.enter_async_context(self.server.session())
                result = await self._attempts(session, work, lease)
            await session.to_disk()
        return result

    async def run(self, script: Script, keys: list[str], *words: Value) -> Any:
        """A script that does all by itself, and may be done twice."""
        async with self.server.patience(), self.server.session() as session:
            result = await session.run(script, keys, *words)
            await session.to_disk()
        return result

    async def _attempts(self, session: "Session", work: Work[T], lease: Lease | None) -> T:
        for wait_s in self._waits_s():
            [head] = await session.ask(("GET", self.keys.head))
            draft = Draft(self.keys, records.read_head(head))
            result = await work(session, draft)
            answer = await self._commit(session, head, draft, lease)
            if answer == scripts.DONE:
                return result
            if answer == scripts.LOST:
                raise lost(lease)
            await self.clock.sleep(wait_s)
        raise AssertionError  # there is always another wait; the caller's patience ends it

    async def _commit(self, session: "Session", head: bytes, draft: Draft, lease: Lease | None) -> bytes:
        commands = list(draft.commands())
        lease_key, lease_value = (self.keys.lease(lease.workload), value_of(lease)) if lease else (self.keys.head, "")
        written = dict.fromkeys(str(command[1]) for command in commands)
        words: list[Value] = [head, self._who, lease_value, _TURN_MS]
        for command in commands:
            words += [len(command), *command]
        answer: bytes = await session.run(scripts.COMMIT, [self.keys.head, self.keys.turn, lease_key, *written], *words)
        return answer

    def _waits_s(self) -> Iterator[float]:
        longest_s = _FIRST_WAIT_S
        while True:
            yield longest_s * self.random()
            longest_s = min(longest_s * 2, _LONGEST_WAIT_S)


def value_of(lease: Lease) -> str:
    """What the lease's key holds."""
    return f"{lease.token} {lease.owner}"


def lost(lease: Lease | None) -> LostLease:
    return LostLease(f"{lease.workload if lease else 'it'} is no longer leased to us")
