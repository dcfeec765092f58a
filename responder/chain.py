"""The ledger's chain: each line's digest vouches for the line and for all before it, so that no edit goes unseen. Pure.

What a chain by itself cannot show is that its end was cut off, or that all of it was written anew. The digest of the
newest line is therefore published as a metric too, and Prometheus remembers it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from responder.ledger import EntryKind, Episode, Link

#: In the place of a digest before the first line.
START = "0" * 64


def digest(before: str, line: Link) -> str:
    """Of ``line``, whose own digest does not count, after the line with digest ``before``."""
    head = f"{before}\n{line.id}\n{line.at!r}\n{line.episode_id}\n{line.workload}\n{line.kind}\n"
    # Half a character is no name of ours, but whoever edits a ledger may write one, and that has to be told, too.
    return hashlib.sha256((head + line.text).encode(errors="surrogatepass")).hexdigest()


def text(data: Mapping[str, object]) -> str:
    """How data is written: one way for one content."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def labels_digest(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """Of what an alert said, for the line that opens its episode."""
    return hashlib.sha256(text({"labels": labels, "annotations": annotations}).encode()).hexdigest()


@dataclass(slots=True)
class Check:
    """Fed with all lines in order, then asked about episodes. ``head`` is the digest of the last line seen."""

    head: str = START
    count: int = 0
    _last_id: int = 0
    _seen: set[int] = field(default_factory=set)
    _opened: dict[int, str] = field(default_factory=dict)
    _final: dict[int, tuple[str, str]] = field(default_factory=dict)

    def lines(self, lines: Iterable[Link]) -> Iterator[str]:
        """What is wrong with them. A wrong one is told once: the next is held against it as it stands."""
        for line in lines:
            if line.id != self._last_id + 1:
                missing = line.id - self._last_id - 1
                what = f"{missing} are missing" if missing > 0 else "it is out of its place"
                yield f"line {line.id}: follows line {self._last_id}: {what}"
            if digest(self.head, line) != line.digest:
                yield f"line {line.id} ({line.kind} of recovery {line.episode_id}): is not what was written"
            self._note(line)
            self.head, self.count, self._last_id = line.digest, self.count + 1, line.id

    def seen(self) -> list[int]:
        """Numbers of the episodes that lines tell of."""
        return sorted(self._seen)

    def episodes(self, episodes: Iterable[Episode]) -> Iterator[str]:
        """What is wrong with them, held against the lines."""
        for episode in episodes:
            said = labels_digest(episode.labels, episode.annotations)
            if self._opened.get(episode.id, said) != said:
                yield f"recovery {episode.id}: its labels or annotations are not those that it was opened with"
            final = (episode.final.value, episode.reason) if episode.final else None
            if self._final.get(episode.id) != final:
                yield f"recovery {episode.id}: its final state is not the one that was written"

    def _note(self, line: Link) -> None:
        self._seen.add(line.episode_id)
        if line.kind not in (EntryKind.OPENED, EntryKind.FINAL):
            return
        try:
            data = json.loads(line.text)
            if line.kind == EntryKind.FINAL:
                self._final[line.episode_id] = (data["final"], data["reason"])
            elif "labels" in data:
                self._opened[line.episode_id] = data["labels"]
        except (ValueError, LookupError, TypeError):  # edited, which is told already
            return
