"""An episode and its record -> the trouble, its end, or its whole story as the page shows it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from responder.gates import Approval
from responder.history import approvals, pending
from responder.ledger import Entry, EntryKind, Episode, Final
from responder.pages.lines import FINALS, causes, details, line_of
from responder.pages.rungs import Planned, rungs, upcoming
from responder.pages.view import Ended, Fact, Line, Question, Record, Tone, Trouble
from responder.pages.words import moment, shown, text_of, took

_NEWEST_LINES = 6
#: Says nothing about what is going on now.
_ASIDE = (EntryKind.EVIDENCE, EntryKind.DELIVERED)


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one episode. ``plan`` None: the responder cannot tell now what it would do.

    ``seal``: the token of the form about a recovery's question.
    """

    episode: Episode
    entries: Sequence[Entry]
    plan: Sequence[Planned] | None
    seal: Callable[[int, int], str]
    now: float


def trouble_of(story: Story) -> Trouble:
    episode, now = story.episode, story.now
    tone, doing = _doing(story)
    link = episode.annotations.get("runbook_url", "")
    return Trouble(
        recovery=episode.id,
        alert=shown(episode.alert) or "alert without a name",
        workload=shown(episode.workload) or "no workload",
        summary=shown(episode.annotations.get("summary", "")),
        runbook=link if link.startswith(("https://", "http://")) else "",
        opened=moment(episode.opened_at, now),
        tone=tone,
        now=doing,
        next=_next(story),
        rungs=rungs(story.plan or (), story.entries, now),
        question=_question(story),
        lines=tuple(_lines(story)[-_NEWEST_LINES:]),
    )


def ended_of(episode: Episode, entries: Sequence[Entry], now: float) -> Ended:
    """Of an episode that has its final state."""
    final = episode.final or Final.ESCALATED
    tone, outcome = FINALS[final.value]
    at = episode.finished_at or episode.opened_at
    judged = next((e for e in reversed(entries) if e.kind is EntryKind.JUDGED), None)
    return Ended(
        recovery=episode.id,
        alert=shown(episode.alert),
        workload=shown(episode.workload) or "no workload",
        tone=tone,
        outcome=outcome,
        reason=shown(episode.reason),
        ended=moment(at, now),
        took=took(at - episode.opened_at),
        steps=tuple(f"{rung.action} {rung.state}" for rung in rungs((), entries, now)),
        readings=tuple(details(judged)) if judged else (),
        causes=tuple(cause for e in entries if e.kind is EntryKind.EVIDENCE for cause in causes(e)),
    )


def record_of(story: Story, version: str) -> Record:
    """Everything, oldest first."""
    episode = story.episode
    tone_and_words = FINALS[episode.final.value] if episode.final else None
    return Record(
        version=version,
        made=moment(story.now, story.now),
        trouble=trouble_of(story),
        is_over=episode.closed_at is not None,
        outcome=tone_and_words[1] if tone_and_words else "",
        reason=shown(episode.reason),
        labels=tuple(Fact(shown(name), shown(value)) for name, value in sorted(episode.labels.items())),
        lines=tuple(line_of(entry, story.now) for entry in story.entries),
    )


def _lines(story: Story) -> list[Line]:
    return [line_of(entry, story.now) for entry in story.entries if entry.kind is not EntryKind.EVIDENCE]


def _question(story: Story) -> Question | None:
    """While there is still time for an answer."""
    asked = pending(story.entries)
    if story.episode.final is not None or asked is None:
        return None
    rung = int(str(asked.data["rung"]))
    if approvals(story.entries, story.now)[rung] is Approval.EXPIRED:
        return None
    return Question(
        recovery=story.episode.id,
        entry=asked.id,
        rung=rung + 1,
        action=text_of(asked.data, "action"),
        expires=moment(float(str(asked.data["expires_at"])), story.now),
        seal=story.seal(story.episode.id, asked.id),
    )


def _doing(story: Story) -> tuple[Tone, str]:
    episode = story.episode
    if episode.final is Final.ESCALATED:
        untold = "" if episode.delivered_at else " (Alertmanager has not taken the call yet)"
        return Tone.BAD, f"People were called{untold}: {shown(episode.reason)}"
    if episode.final is not None:
        tone, words = FINALS[episode.final.value]
        return tone, f"{words.capitalize()}: {shown(episode.reason)}"
    last = next((e for e in reversed(story.entries) if e.kind not in _ASIDE), None)
    if last is None or last.kind is EntryKind.OPENED:
        return Tone.BUSY, "What to do is being decided"
    line = line_of(last, story.now)
    if last.kind is EntryKind.FINISHED and line.tone is Tone.BUSY:
        return Tone.BUSY, f"{line.text}. Whether it helped is being verified"
    return Tone.BUSY, line.text


def _next(story: Story) -> str:
    if story.episode.final is Final.ESCALATED:
        return "No step of ours: a person has to look. It closes when the trouble is over and the evidence says so"
    if story.episode.final is not None:
        return ""
    if story.plan is None:
        return "Not known now: what has to be asked first does not answer"
    row = upcoming(story.plan, story.entries)
    if row is None:
        return "No step is left: then people are called, unless the ladder only records"
    name = f"Step {row.index + 1}, {row.action}"
    return name if row.is_taken else f"{name}, held back: {row.why}"
