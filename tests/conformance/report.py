"""What people and programs read at the end."""

from collections.abc import Mapping, Sequence
from statistics import median

from rich.markup import escape
from rich.table import Table
from yarl import URL

from tests.conformance.judging import Outcome
from tests.conformance.observations import Observations
from tests.conformance.runner import Result
from tests.conformance.scenario import Scenario

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.NOT_APPLICABLE: "yellow"}
_WORDS = {Outcome.PASS: "pass", Outcome.FAIL: "FAIL", Outcome.NOT_APPLICABLE: "not applicable"}


def table(scenarios: Sequence[Scenario], results: Mapping[str, Result]) -> Table:
    """A row for each scenario; those that are still played, or not yet, have no verdict."""
    shown = Table(title="Alertmanager receiver conformance", show_lines=True)
    shown.add_column("scenario", no_wrap=True)
    shown.add_column("what was sent")
    shown.add_column("what was seen")
    shown.add_column("verdict")
    for scenario in scenarios:
        shown.add_row(scenario.name, f"{scenario.sends} ({scenario.stage.value})", *_cells(results.get(scenario.name)))
    return shown


def summary(results: Sequence[Result]) -> str:
    """One line under the table."""
    counts = {outcome: _count(results, outcome) for outcome in Outcome}
    answers = [each.took_s for result in results if result.seen for each in result.seen.deliveries]
    line = ", ".join(f"{count} {_WORDS[outcome].lower()}" for outcome, count in counts.items())
    if not answers:
        return line
    slowest, middle = max(answers), median(answers)
    return f"{line}; {_deliveries(len(answers))}, answered after {_ms(middle)} (median), {_ms(slowest)} (slowest)"


def as_json(results: Sequence[Result], url: str, alertmanager: str) -> dict[str, object]:
    """Everything that was found out. Of ``url`` only what is no secret."""
    return {
        "url": _public(url),
        "alertmanager": alertmanager,
        "pass": _count(results, Outcome.PASS),
        "fail": _count(results, Outcome.FAIL),
        "not_applicable": _count(results, Outcome.NOT_APPLICABLE),
        "scenarios": {result.scenario.name: _result(result) for result in results},
    }


def _result(result: Result) -> dict[str, object]:
    assert result.seen is not None
    assert result.verdict is not None
    deliveries = result.seen.deliveries
    start = deliveries[0].at if deliveries else 0.0
    return {
        "trap": result.scenario.trap,
        "verdict": result.verdict.outcome.value,
        "reason": result.verdict.reason,
        "deliveries": [
            {
                "at_s": round(each.at - start, 3),
                "sender": each.sender,
                "status": each.status,
                "truncated": each.truncated,
                "group_key": each.group_key,
                "alerts": {alert.workload: alert.status for alert in each.alerts},
                "answer": each.answer,
                "answer_s": round(each.took_s, 4),
            }
            for each in deliveries
        ],
        "actions": [{"at_s": round(each.at - start, 3), "workload": each.workload} for each in result.seen.actions],
        "marks": {name: round(at - start, 3) for name, at in result.seen.marks.items()},
    }


def line(result: Result) -> str:
    """For a log, where no table can grow."""
    if result.verdict is None:
        return f"{result.scenario.name}: playing"
    reason = f": {result.verdict.reason}" if result.verdict.reason else ""
    return f"{result.scenario.name}: {_WORDS[result.verdict.outcome]}{reason}"


def _cells(result: Result | None) -> tuple[str, str]:
    if result is None:
        return "", "[dim]waiting"
    if result.seen is None or result.verdict is None:
        return "", "playing"
    outcome, reason = result.verdict.outcome, result.verdict.reason
    verdict = f"[{_STYLES[outcome]}]{_WORDS[outcome]}[/]"
    return _seen(result.seen), f"{verdict}: {escape(reason)}" if reason else verdict


def _seen(seen: Observations) -> str:
    workloads = dict.fromkeys(action.workload for action in seen.actions)
    acted = [f"{name} x{len(seen.actions_on(name))}" for name in workloads]
    senders = {each.sender for each in seen.deliveries}
    by = f" by {len(senders)} peers" if len(senders) > 1 else ""
    slowest = max((each.took_s for each in seen.deliveries), default=0.0)
    answered = f", answered within {_ms(slowest)}" if seen.deliveries else ""
    return f"{_deliveries(len(seen.deliveries))}{by}{answered}; acted: {', '.join(acted) or 'never'}"


def _count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(result.verdict is not None and result.verdict.outcome is outcome for result in results)


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count} deliveries"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _public(url: str) -> str:
    return str(URL(url).with_user(None).with_password(None).with_query(None))
