"""``homeostat escalate --test``: the responder calls people and watches; here one waits for what it has seen."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from homeostat.errors import Permanent, Unreachable
from homeostat.settings import Settings

#: Beyond the wait: for what the responder asks Alertmanager before and after it.
_SPARE_S = 30.0
_NOT_FOUND = 404


async def call_people(settings: Settings, console: Console, wait_s: int) -> bool:
    """Print who was reached; whether anybody was. Raises Unreachable or Permanent when the test could not be made."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(f"waiting at most {wait_s} s for a notification to go out", total=None)
        outcome = await _ask(settings, wait_s)
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


async def _ask(settings: Settings, wait_s: int) -> Mapping[str, Any]:
    listen = settings.responder.listen
    url = f"http://{listen}/api/v1/escalation-test"
    headers = {"Authorization": f"Bearer {_token(settings.responder.token_files[0])}"}
    try:
        async with (
            asyncio.timeout(wait_s + _SPARE_S),
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.post(url, params={"wait": wait_s}, headers=headers) as response,
        ):
            if response.status == _NOT_FOUND:
                raise Permanent(f"the responder at {listen} knows no such test: is it older than this command?")
            body: Mapping[str, Any] = await response.json()
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise Unreachable(f"the responder at {listen} does not answer: `homeostat up`?") from err
    if "error" in body:
        raise Permanent(body["error"])
    return body


def _token(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else "is no text"
        raise Permanent(f"the responder's token {path}: {reason}; run this as its owner") from err
