"""What was acknowledged and what was done, held against the ledger. Pure."""

import bisect
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from responder.ledger import EntryKind, Episode, Link


@dataclass(frozen=True, slots=True)
class Hit:
    """Something was asked of a workload, as the asked one saw it. ``what``: a hook's name, or ``restart``."""

    at: float
    workload: str
    what: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of it, in order of its numbers. ``problems``: what the chain's own check found."""

    episodes: Sequence[Episode]
    lines: Sequence[Link]
    problems: Sequence[str] = ()


@dataclass(slots=True)
class Audit:
    """Each a list of what is wrong, in words.

    ``lost``: acknowledged alerts without an episode of their own. ``repeated``: rungs or deeds that are there twice.
    ``reopened``: alerts that have a second recovery. ``unwritten``: deeds before their ``started`` line. ``untrue``:
    steps that are said to have been applied, and were not. ``endless``: episodes without exactly one final state.
    """

    episodes: int = 0
    started: int = 0
    interrupted: int = 0
    hits: int = 0
    finals: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    endless: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        """Counts, and the first few of what is wrong."""
        wrong = {name: getattr(self, name) for name in _WRONGS}
        counts = {"episodes": self.episodes, "started": self.started, "hits": self.hits, "finals": self.finals}
        counts |= {"interrupted": self.interrupted}
        return counts | {name: {"count": len(found), "first": found[:5]} for name, found in wrong.items()}


_WRONGS = ("lost", "repeated", "reopened", "unwritten", "untrue", "endless", "problems")


def audit(acknowledged: Iterable[str], hits: Sequence[Hit], ledger: Ledger) -> Audit:
    """``acknowledged``: fingerprints; no two alerts of a run share one."""
    found = Audit(episodes=len(ledger.episodes), hits=len(hits), problems=list(ledger.problems))
    finals = Counter(episode.final.value if episode.final else "none" for episode in ledger.episodes)
    found.finals = dict(sorted(finals.items()))
    _hold_episodes(found, acknowledged, ledger)
    steps = [_step(line) for line in ledger.lines if line.kind == EntryKind.STARTED]
    found.started = len(steps)
    found.interrupted = len(_ended(ledger.lines, "interrupted"))
    for (episode, rung), count in Counter((step.episode, step.rung) for step in steps).items():
        if count > 1:
            found.repeated.append(f"rung {rung} of recovery {episode} was started {count} times")
    _hold_deeds(found, steps, hits, _ended(ledger.lines, "applied"))
    return found


def _hold_episodes(found: Audit, acknowledged: Iterable[str], ledger: Ledger) -> None:
    episodes = Counter(episode.fingerprint for episode in ledger.episodes)
    found.lost += [f"alert {name}" for name in dict.fromkeys(acknowledged) if name not in episodes]
    for name in (name for name, count in episodes.items() if count > 1):
        found.reopened.append(_told([episode for episode in ledger.episodes if episode.fingerprint == name]))
    ends = Counter(line.episode_id for line in ledger.lines if line.kind == EntryKind.FINAL)
    for episode in ledger.episodes:
        if episode.final is None or ends[episode.id] != 1:
            found.endless.append(f"recovery {episode.id}: final {episode.final}, {ends[episode.id]} lines say so")


def _told(episodes: Sequence[Episode]) -> str:
    """All recoveries of one alert."""
    each = ", then ".join(f"{e.id}: {e.opened_at:.1f} to {e.closed_at or 0:.1f} {e.final}" for e in episodes)
    return f"alert of {episodes[0].workload} that started {episodes[0].starts_at:.1f}: {each}"


@dataclass(frozen=True, slots=True)
class _Step:
    id: int
    at: float
    episode: int
    rung: int
    workload: str
    what: str


def _step(line: Link) -> _Step:
    data = json.loads(line.text)
    what = data["step"].get("hook", data["action"])
    return _Step(line.id, line.at, line.episode_id, int(data["rung"]), line.workload, what)


def _ended(lines: Iterable[Link], status: str) -> set[int]:
    """Numbers of started lines whose step is said to have ended so."""
    ended = (json.loads(line.text) for line in lines if line.kind == EntryKind.FINISHED)
    return {int(data["token"]) for data in ended if data["status"] == status}


def _hold_deeds(found: Audit, steps: Sequence[_Step], hits: Sequence[Hit], applied: set[int]) -> None:
    """A deed belongs to the newest step before it that asks for it: steps on one workload follow one another."""
    by_deed: Mapping[tuple[str, str], list[_Step]] = defaultdict(list)
    for step in sorted(steps, key=lambda step: (step.at, step.id)):
        by_deed[step.workload, step.what].append(step)
    done: Counter[int] = Counter()
    for hit in sorted(hits, key=lambda hit: hit.at):
        ours = by_deed.get((hit.workload, hit.what), [])
        index = bisect.bisect_right(ours, hit.at, key=lambda step: step.at)
        if index == 0:
            found.unwritten.append(f"{hit.what} of {hit.workload} at {hit.at:.3f}")
            continue
        step = ours[index - 1]
        done[step.id] += 1
        if done[step.id] == 2:
            found.repeated.append(f"{hit.what} of {hit.workload}: twice in recovery {step.episode}")
    undone = applied - done.keys()
    found.untrue += [f"{s.what} of {s.workload} in recovery {s.episode}" for s in steps if s.id in undone]
