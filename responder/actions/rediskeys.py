"""Keys of one Redis that nobody has used for a while, and the memory that their end gives back."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from homeostat.errors import Permanent
from homeostat.steps import RedisTrimStep
from responder.actions.deadline import Deadline
from responder.actions.redislink import RedisLink, redis_link

#: Keys at a time: the server is held up for well below a millisecond, and our own loop for a few.
_PAGE = 250
#: Of the time that is left: then what was found so far has to do.
_SEARCH_SHARE = 0.5
#: UNLINK frees behind our back; how much it was is asked for when that is over, or after this many looks.
_FREED_LOOKS = 20
_FREED_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, as INFO tells them. ``pending``: objects that are still being freed."""

    used: int
    resident: int
    pending: int
    policy: str


@dataclass(frozen=True, slots=True)
class Trimmed:
    """``keys``: how many were deleted. ``is_cut``: the time was over before all were looked at or deleted."""

    keys: int
    is_cut: bool
    before: Memory
    after: Memory


async def trim(address: str, step: RedisTrimStep, most_keys: int, deadline: Deadline) -> Trimmed:
    """Raises as :func:`~responder.actions.redislink.redis_link`; Permanent when Redis cannot tell how idle keys are."""
    async with redis_link(address, step.user, step.password_file) as link:
        before = await _memory(link)
        keys, is_cut = 0, False
        if step.pattern is not None:
            keys, is_cut = await _evict(link, step, most_keys, before.policy, deadline)
        if step.purge:  # last: it gives back what the keys have left
            await link.call("MEMORY", "PURGE")
        return Trimmed(keys, is_cut, before, await _settled(link, deadline))


async def _evict(
    link: RedisLink, step: RedisTrimStep, most_keys: int, policy: str, deadline: Deadline
) -> tuple[int, bool]:
    """As ``keys`` and ``is_cut`` of Trimmed."""
    knows_idle = "lfu" not in policy
    if step.idle and not knows_idle:
        raise Permanent(
            f"Redis at {link.address}: maxmemory-policy {policy} does not keep how long keys are idle; "
            "allowed there: idle 0s"
        )
    found, is_all = await _find(link, step, most_keys, deadline, knows_idle=knows_idle)
    keys, is_done = await _unlink(link, step, found, deadline)
    return keys, not (is_all and is_done)


async def _find(
    link: RedisLink, step: RedisTrimStep, most_keys: int, deadline: Deadline, *, knows_idle: bool
) -> tuple[list[bytes], bool]:
    """Keys that may go, the longest idle first, and whether all were looked at."""
    longest: list[tuple[int, bytes]] = []
    until = Deadline(deadline.clock, deadline.at - deadline.left_s * _SEARCH_SHARE)
    cursor = b"0"
    while True:
        cursor, page = await link.call("SCAN", cursor, "MATCH", step.pattern or "", "COUNT", str(_PAGE))
        for pair in zip(await _idles(link, page) if knows_idle else [0] * len(page), page, strict=True):
            if pair[0] < step.idle:
                continue
            if len(longest) < most_keys:
                heapq.heappush(longest, pair)
            else:
                heapq.heappushpop(longest, pair)
        if cursor == b"0" or until.is_over:
            break
    return [key for _, key in sorted(longest, reverse=True)], cursor == b"0"


async def _unlink(link: RedisLink, step: RedisTrimStep, keys: list[bytes], deadline: Deadline) -> tuple[int, bool]:
    """How many were deleted, and whether all were tried."""
    unlinked, waiting = 0, iter(keys)
    while batch := list(islice(waiting, _PAGE)):
        if deadline.is_over:
            return unlinked, False
        if step.idle:  # used since it was found: no longer one of them
            batch = [key for key, idle in zip(batch, await _idles(link, batch), strict=True) if idle >= step.idle]
        # One by one: in a cluster, keys of one command have to be of one slot.
        unlinked += sum(reply == 1 for reply in await link.batch([("UNLINK", key) for key in batch]))
    return unlinked, True


async def _idles(link: RedisLink, keys: Sequence[bytes]) -> list[int]:
    """Seconds; -1 for a key that is gone."""
    replies = await link.batch([("OBJECT", "IDLETIME", key) for key in keys])
    return [-1 if reply is None else int(reply) for reply in replies]


async def _settled(link: RedisLink, deadline: Deadline) -> Memory:
    memory = await _memory(link)
    for _ in range(_FREED_LOOKS):
        if not memory.pending or deadline.is_over:
            break
        await deadline.clock.sleep(_FREED_POLL_S)
        memory = await _memory(link)
    return memory


async def _memory(link: RedisLink) -> Memory:
    info = (await link.call("INFO", "memory")).decode(errors="replace")
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)

    def figure(name: str) -> int:
        return int(fields[name]) if fields.get(name, "").isdecimal() else 0

    return Memory(
        used=figure("used_memory"),
        resident=figure("used_memory_rss"),
        pending=figure("lazyfree_pending_objects"),
        policy=fields.get("maxmemory_policy", ""),
    )
