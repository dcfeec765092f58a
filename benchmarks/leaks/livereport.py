"""Table, bars and JSON of the live leaks."""

from typing import Any

from rich.table import Table

from benchmarks.leaks.livestory import Recording, Story, contradicted, false_alarms, needless_steps, stories
from benchmarks.report import Bar, conclude
from chaos.faults.leaks import LEAKS

#: Nothing is to be seen of it until the pool is empty (five connections): how long users wait then is what counts.
_POOL = "connections"
#: As a hang of the recovery benchmark.
_REFUSED_S = 30.0


def report(recording: Recording, *, as_json: bool) -> None:
    """Print and exit."""
    found = stories(recording)
    table = Table("leak", "alerts, min after onset", "repaired by", "done", "exhausted", "level", "requests failed")
    for story in found:
        table.add_row(*_cells(story))
    details = {
        "minutes": recording["minutes"],
        "leaks": {story.leak: figures(story) for story in found},
        "false_alarms": false_alarms(recording),
        "needless_steps": needless_steps(recording),
    }
    conclude(table, bars(recording, found), details, as_json=as_json)


def bars(recording: Recording, found: list[Story]) -> dict[str, Bar]:
    late = [story for story in found if story.leak != _POOL and not story.is_in_time]
    claims = [claim for shop in recording["shops"].values() for claim in contradicted(shop)]
    result = {
        "not_repaired_before_exhaustion": Bar(len(late), 0),
        "alerts_of_what_does_not_leak": Bar(len(false_alarms(recording)), 0),
        "steps_on_what_does_not_leak": Bar(len(needless_steps(recording)), 0),
        "claims_contradicted_by_the_request_log": Bar(len(claims), 0),
    }
    for story in found:
        if story.leak == _POOL:
            result["empty_pool_refused_s"] = Bar(story.longest_gap_s if story.repaired_at else float("inf"), _REFUSED_S)
    return result


def _cells(story: Story) -> tuple[str, ...]:
    alerts = ", ".join(f"{name} {_minutes(story, at)}" for name, at in story.alerts.items())
    unit = LEAKS[story.leak].unit
    after = "?" if story.after is None else f"{story.after / unit:.0f}"
    return (
        story.leak,
        alerts or "none",
        story.helped or "nothing",
        _minutes(story, story.repaired_at),
        _minutes(story, story.exhausted_at),
        f"{story.before / unit:.0f} -> {after} of {LEAKS[story.leak].limit / unit:.0f}",
        f"{story.failed} of {story.asked}, {story.longest_gap_s:.1f} s on end",
    )


def _minutes(story: Story, at: float | None) -> str:
    return "-" if at is None else f"{(at - story.onset) / 60:.1f}"


def figures(story: Story) -> dict[str, Any]:
    """Times in seconds after the onset."""

    def after(at: float | None) -> float | None:
        return None if at is None else round(at - story.onset, 1)

    return {
        "verdicts": {name: after(at) for name, at in story.verdicts.items()},
        "alerts": {name: after(at) for name, at in story.alerts.items()},
        "steps": [[after(step.at), step.what, step.alert] for step in story.steps],
        "finals": story.finals,
        "helped": story.helped,
        "repaired": after(story.repaired_at),
        "would_be_exhausted": after(story.exhausted_at),
        "level_before": story.before,
        "level_after": story.after,
        "asked": story.asked,
        "failed": story.failed,
        "longest_gap_s": round(story.longest_gap_s, 1),
        "contradictions": story.contradictions,
    }
