"""Episodes, lines and the rest as text and back. Pure. JSON, so that a person with redis-cli can read them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from responder import chain
from responder.ledger import Entry, EntryKind, Episode, Final, Hold, Link, Measure, StoreError

T = TypeVar("T")

#: How records are written; another number is another homeostat's.
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Head:
    """Where the record ends. ``changes`` counts what was written, also where no line was."""

    changes: int = 0
    line_id: int = 0
    digest: str = chain.START
    episode_id: int = 0


def write_head(head: Head) -> str:
    return json.dumps([SCHEMA, head.changes, head.line_id, head.digest, head.episode_id])


def read_head(text: bytes | None) -> Head:
    """Raises StoreError, also for None: open() wrote one."""
    if text is None:
        raise StoreError("the ledger in Redis is gone: its keys were deleted, or its database was flushed")
    schema, *rest = _read(text, list)
    if schema != SCHEMA:
        raise StoreError(
            f"the ledger in Redis was made by another homeostat (schema {schema}, this one knows {SCHEMA})"
        )
    return _made(Head, rest)


def write_episode(episode: Episode) -> str:
    return json.dumps(
        [
            episode.id,
            episode.fingerprint,
            dict(episode.labels),
            dict(episode.annotations),
            episode.starts_at,
            episode.opened_at,
            episode.resolved_at,
            episode.final.value if episode.final else None,
            episode.reason,
            episode.finished_at,
            episode.closed_at,
            episode.delivered_at,
        ]
    )


def read_episode(text: bytes) -> Episode:
    """Raises StoreError."""
    values = _read(text, list)
    try:
        values[7] = Final(values[7]) if values[7] else None
    except (ValueError, LookupError) as err:
        raise _not_ours(err) from err
    return _made(Episode, values)


def write_line(line: Link) -> str:
    return json.dumps([line.id, line.at, line.episode_id, line.workload, line.kind, line.text, line.digest])


def read_line(text: bytes) -> Link:
    """Raises StoreError."""
    return _made(Link, _read(text, list))


def read_entry(text: bytes) -> Entry:
    """A line, with its data. Raises StoreError."""
    line = read_line(text)
    try:
        kind = EntryKind(line.kind)
    except ValueError as err:
        raise _not_ours(err) from err
    return Entry(line.id, line.at, line.episode_id, line.workload, kind, _read(line.text, dict))


def write_measure(measure: Measure) -> str:
    return json.dumps([measure.token, measure.episode_id, measure.workload, measure.due_at])


def read_measure(text: bytes) -> Measure:
    """Raises StoreError."""
    return _made(Measure, _read(text, list))


def write_hold(hold: Hold) -> str:
    return json.dumps([hold.pattern, hold.reason, hold.by, hold.at, hold.until])


def read_hold(text: bytes) -> Hold:
    """Raises StoreError."""
    return _made(Hold, _read(text, list))


def _read(text: bytes | str, kind: type[T]) -> T:
    try:
        value = json.loads(text)
    except ValueError as err:
        raise _not_ours(err) from err
    if not isinstance(value, kind):
        raise _not_ours(TypeError(type(value).__name__))
    return value


def _made(make: Callable[..., T], values: list[Any]) -> T:
    try:
        return make(*values)
    except TypeError as err:
        raise _not_ours(err) from err


def _not_ours(err: Exception) -> StoreError:
    return StoreError(f"the ledger in Redis holds what homeostat did not write ({type(err).__name__})")
