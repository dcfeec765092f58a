"""All that the board has collected -> the status page. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from homeostat.maintenance import current, means
from homeostat.sections import MaintenanceWindow
from responder.ledger import Entry, Episode, Hold
from responder.pages.troubles import Story, ended_of, trouble_of
from responder.pages.view import HoldRow, Status, Tone, Trouble, WindowRow, Workloads
from responder.pages.words import many, moment, shown
from responder.pages.workloads import Around, Health, workloads_view


@dataclass(frozen=True, slots=True)
class Rules:
    """What settings and operators say. ``holds``: those in force. ``known``: workloads that the settings name."""

    holds: Sequence[Hold]
    windows: Sequence[MaintenanceWindow]
    known: Iterable[str]
    is_dry_run: bool
    storm: int


@dataclass(frozen=True, slots=True)
class Known:
    """``stories``: open episodes, newest first, ``open_count`` how many there are. ``ended``: with their records."""

    version: str
    now: float
    health: Health
    stories: Sequence[Story]
    open_count: int
    ended: Sequence[tuple[Episode, Sequence[Entry]]]
    rules: Rules


def status_of(known: Known) -> Status:
    troubles = tuple(trouble_of(story) for story in known.stories)
    around = Around(_open_by_workload(known.stories), _notes(known), known.rules.known)
    workloads = workloads_view(known.health, around)
    tone, headline = _headline(troubles, known.open_count, workloads)
    return Status(
        version=known.version,
        made=moment(known.now, known.now),
        tone=tone,
        headline=headline,
        summary=_summary(known.open_count, workloads),
        warnings=tuple(_warnings(known)),
        questions=tuple(trouble for trouble in troubles if trouble.question is not None),
        troubles=troubles,
        troubles_left_out=max(0, known.open_count - len(troubles)),
        workloads=workloads,
        ended=tuple(ended_of(episode, entries, known.now) for episode, entries in known.ended),
        holds=tuple(_hold_row(hold, known.now) for hold in known.rules.holds),
        windows=tuple(_window_row(window, known.now) for window in known.rules.windows),
    )


def _headline(troubles: Sequence[Trouble], open_count: int, workloads: Workloads) -> tuple[Tone, str]:
    """The worst comes first."""
    asked = sum(1 for trouble in troubles if trouble.question is not None)
    called = sum(1 for trouble in troubles if trouble.tone is Tone.BAD)
    if asked:
        return Tone.BAD, f"{many(asked, 'step waits', 'steps wait')} for your word."
    if called:
        return Tone.BAD, f"{many(called, 'trouble needs', 'troubles need')} a person."
    if open_count:
        return Tone.BUSY, f"{many(open_count, 'trouble is', 'troubles are')} being repaired."
    return _without_trouble(workloads)


def _summary(open_count: int, workloads: Workloads) -> str:
    counts = Counter(row.state for row in workloads.rows)
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    total = len(workloads.rows) + workloads.left_out
    troubles = many(open_count, "open trouble", "open troubles") if open_count else "No open trouble"
    return f"{troubles}; {many(total, 'workload', 'workloads')}{': ' if states else ''}{states}."


def _without_trouble(workloads: Workloads) -> tuple[Tone, str]:
    if workloads.problem:
        return Tone.UNKNOWN, "How the workloads are is not known now."
    rows = workloads.rows
    ill = sum(1 for row in rows if row.tone in (Tone.BAD, Tone.BUSY))
    if ill:
        return Tone.BUSY, f"No alert to repair, but {many(ill, 'workload is', 'workloads are')} not well."
    watched = many(len(rows) + workloads.left_out, "workload is", "workloads are")
    return Tone.GOOD, f"Nothing is wrong. {watched} watched."


def _warnings(known: Known) -> Iterable[str]:
    if known.health.problem:
        yield f"How the workloads are is not known: {shown(known.health.problem)}"
    if known.rules.storm:
        yield (
            f"Storm: {known.rules.storm} workloads came into trouble at once. Nothing is repaired until no more come; "
            "look for what they have in common."
        )
    if known.rules.is_dry_run:
        yield "Dry run: steps are decided and recorded, and none is taken."
    if any(hold.pattern == "*" for hold in known.rules.holds):
        yield "Hands off: nothing is repaired, because somebody holds every workload."


def _open_by_workload(stories: Sequence[Story]) -> Mapping[str, int]:
    """The oldest open recovery of each."""
    return {story.episode.workload: story.episode.id for story in stories}


def _notes(known: Known) -> Mapping[str, tuple[str, ...]]:
    """Why a workload would not be repaired now."""
    measured = {sample.labels.get("workload", "") for sample in known.health.states}
    every = {*measured, *known.rules.known, *_open_by_workload(known.stories)}
    return {each: found for each in every if (found := tuple(_notes_of(each, known)))}


def _notes_of(workload: str, known: Known) -> Iterable[str]:
    if any(means(hold.pattern, workload) for hold in known.rules.holds):
        yield "hands off"
    if current(known.rules.windows, workload, known.now):
        yield "maintenance"


def _hold_row(hold: Hold, now: float) -> HoldRow:
    return HoldRow(
        pattern=shown(hold.pattern),
        by=shown(hold.by),
        reason=shown(hold.reason),
        since=moment(hold.at, now) if hold.at else None,
        until=None if hold.until is None else moment(hold.until, now),
    )


def _window_row(window: MaintenanceWindow, now: float) -> WindowRow:
    days = ", ".join(window.weekdays) or "every day"
    return WindowRow(
        where=shown(", ".join(window.workloads)),
        when=shown(f"{days}, {window.start} to {window.end} {window.timezone}"),
        # A pattern means itself, so that the first of them asks for the time alone.
        is_now=current((window,), window.workloads[0], now) is not None,
    )
