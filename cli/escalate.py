"""``homeostat escalate --test``: the responder calls people and watches; here one waits for what it has seen."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.responder_api import ResponderApi
from homeostat.settings import Settings

#: Beyond the wait: for what the responder asks Alertmanager before and after it.
_SPARE_S = 30.0


async def call_people(settings: Settings, console: Console, wait_s: int) -> bool:
    """Print who was reached; whether anybody was. Raises Unreachable or Permanent when the test could not be made."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(f"waiting at most {wait_s} s for a notification to go out", total=None)
        api = ResponderApi(settings, timeout_s=wait_s + _SPARE_S)
        outcome = await api.post(f"/api/v1/escalation-test?wait={wait_s}", {})
    for line, style in report(outcome, wait_s):
        console.print(line, style=style, markup=False, soft_wrap=True)
    return bool(outcome["verdict"] == "reached")


def report(outcome: Mapping[str, Any], wait_s: int) -> list[tuple[str, str]]:
    """Lines for people, and their colours."""
    receivers = ", ".join(outcome["receivers"]) or "none but the responder"
    head = {
        "reached": (f"reached: by {', '.join(outcome['reached'])} (receiver {receivers})", "green"),
        "failed": (f"not reached: Alertmanager could not send it (receiver {receivers})", "red"),
        "nobody": (
            f"not reached: receiver {receivers} sends nowhere; fill it in in alertmanager/alertmanager.yml",
            "red",
        ),
        "muted": (f"not reached: Alertmanager keeps it back from receiver {receivers}", "red"),
        "not_seen": (f"not reached: nothing has gone out to receiver {receivers} within {wait_s} s", "red"),
    }[outcome["verdict"]]
    failed = [
        (f"failed: {name}: {reason}; Alertmanager's log says why", "red") for name, reason in outcome["failed"].items()
    ]
    unseen = [(f"not seen: {name}", "yellow") for name in outcome["unseen"]]
    return [head, *failed, *unseen, *((note, "yellow") for note in outcome["notes"])]
