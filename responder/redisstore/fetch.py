"""Reading in one session. Raises StoreError for what homeostat did not write."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from responder.ledger import Episode, NoEpisode
from responder.redisstore import records, scripts
from responder.redisstore.batch import Value
from responder.redisstore.keys import Keys
from responder.redisstore.records import Head

if TYPE_CHECKING:
    from responder.redisstore.server import Session

#: Fields of one HMGET: so many hold the server up for less than a millisecond.
_CHUNK = 1000


async def head(session: "Session", keys: Keys) -> Head:
    [text] = await session.ask(("GET", keys.head))
    return records.read_head(text)


async def episode(session: "Session", keys: Keys, episode_id: int) -> Episode:
    """Raises NoEpisode."""
    for found in await episodes(session, keys, [episode_id]):
        return found
    raise NoEpisode(f"no episode {episode_id}")


async def episodes(session: "Session", keys: Keys, ids: Sequence[int]) -> list[Episode]:
    """Those that are there, in the order of ``ids``."""
    return [records.read_episode(text) for text in await fields(session, keys.episodes, ids)]


async def latest(session: "Session", keys: Keys, fingerprints: Iterable[str]) -> dict[str, Episode]:
    """The newest episode of each that has one."""
    ids = [int(one) for one in await fields(session, keys.latest, list(dict.fromkeys(fingerprints)))]
    return {one.fingerprint: one for one in await episodes(session, keys, ids)}


async def fields(session: "Session", key: str, names: Sequence[Value]) -> list[bytes]:
    """Values of a hash that are there, in the order of ``names``."""
    found = await session.ask(*(("HMGET", key, *chunk) for chunk in _chunks(names)))
    return [value for values in found for value in values if value is not None]


async def picked(session: "Session", index: str, records_key: str, verb: str, *words: Value) -> list[bytes]:
    """In one step: the records that ``verb`` finds the numbers of in ``index``."""
    return [one for one in await session.run(scripts.PICK, [index, records_key], verb, *words) if one is not None]


def _chunks(names: Sequence[Value]) -> Iterator[Sequence[Value]]:
    return (names[at : at + _CHUNK] for at in range(0, len(names), _CHUNK))
