"""One change, worked out before any of it is written. Pure."""

import dataclasses
from collections.abc import Iterator, Mapping

from responder import chain
from responder.ledger import Alert, Entry, EntryKind, Episode, Final, Hold, Link, Measure, new_episode
from responder.redisstore import records
from responder.redisstore.batch import Batch, Command
from responder.redisstore.keys import Keys
from responder.redisstore.records import Head


class Draft:
    """Grows from ``head``, and is worth writing only while that stands. Keeps all indexes."""

    def __init__(self, keys: Keys, head: Head) -> None:
        self._keys = keys
        self._head = head
        self._start = head
        self._batch = Batch()

    def open(self, alert: Alert, now: float) -> Episode:
        """A new episode, with its line."""
        self._head = dataclasses.replace(self._head, episode_id=self._head.episode_id + 1)
        episode = new_episode(alert, self._head.episode_id, now)
        self._batch.add("HSET", self._keys.latest, episode.fingerprint, episode.id)
        self._batch.add("ZADD", self._keys.opened, float(now), episode.workload, option="GT")
        self.put(None, episode)
        said = chain.labels_digest(episode.labels, episode.annotations)
        self.line(episode, EntryKind.OPENED, {"starts_at": alert.starts_at, "labels": said}, now)
        return episode

    def line(self, episode: Episode, kind: EntryKind, data: Mapping[str, object], now: float) -> Entry:
        """The next line of the record."""
        head, text = self._head, chain.text(data)
        line = Link(head.line_id + 1, float(now), episode.id, episode.workload, kind.value, text, "")
        line = dataclasses.replace(line, digest=chain.digest(head.digest, line))
        self._head = dataclasses.replace(head, line_id=line.id, digest=line.digest)
        self._batch.add("HSET", self._keys.lines, line.id, records.write_line(line))
        self._batch.add("RPUSH", self._keys.episode_lines(episode.id), line.id)
        entry = Entry(line.id, line.at, episode.id, episode.workload, kind, data)
        self._note_step(entry)
        return entry

    def put(self, before: Episode | None, after: Episode) -> None:
        """``after`` takes the place of ``before``, here and in all indexes."""
        self._batch.add("HSET", self._keys.episodes, after.id, records.write_episode(after))
        was, becomes = _places(self._keys, before), _places(self._keys, after)
        for index in becomes.keys() - was.keys():
            self._batch.add("ZADD", index, after.id, after.id)
            self._count(becomes[index], after.workload, +1)
        for index in was.keys() - becomes.keys():
            self._batch.add("ZREM", index, after.id)
            self._count(was[index], after.workload, -1)

    def put_hold(self, hold: Hold) -> None:
        self._batch.add("HSET", self._keys.holds, hold.pattern, records.write_hold(hold))

    def drop_hold(self, pattern: str) -> None:
        self._batch.add("HDEL", self._keys.holds, pattern)

    def commands(self) -> Iterator[Command]:
        """Nothing when nothing changes. The head first: memory that is full refuses it, and so refuses all."""
        changes = list(self._batch.commands())
        if changes:
            head = dataclasses.replace(self._head, changes=self._start.changes + 1)
            yield "SET", self._keys.head, records.write_head(head)
            yield from changes

    def _count(self, key: str, workload: str, by: int) -> None:
        if key:
            self._batch.count(key, workload, by)

    def _note_step(self, entry: Entry) -> None:
        """Steps are counted; effects that last are kept in sight until they are put back."""
        if entry.kind is EntryKind.STARTED:
            self._batch.add("ZADD", self._keys.steps, entry.at, entry.id)
        elif entry.kind is EntryKind.FINISHED and "due_at" in entry.data:
            measure = _measure(entry)
            self._batch.add("HSET", self._keys.measures, measure.token, records.write_measure(measure))
        elif entry.kind is EntryKind.UNDONE:
            self._batch.add("HDEL", self._keys.measures, str(entry.data["token"]))


def _places(keys: Keys, episode: Episode | None) -> dict[str, str]:
    """The indexes that an episode is in; with each, where its workload is counted, if it is."""
    if episode is None or episode.closed_at is not None:
        return {}
    places = {keys.open: keys.open_workloads}
    if episode.final is None:
        places[keys.unfinished(episode.workload)] = keys.unfinished_workloads
    if episode.final is Final.ESCALATED:
        places[keys.escalated] = ""
        if episode.delivered_at is None:
            places[keys.undelivered] = ""
    return places


def _measure(entry: Entry) -> Measure:
    token, due_at = str(entry.data["token"]), str(entry.data["due_at"])
    return Measure(int(token), entry.episode_id, entry.workload, float(due_at))
