"""``homeostat maintenance``: for a time, people are not called about some workloads, and nothing is done to them.

Exit codes beside the usual ones: 1 when only one of silence and hold was reached, and with ``list`` when one was not.
"""

import asyncio
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from cli.common import EXIT_NOT_WELL, SETTINGS, console, errors, explained
from cli.responder_api import ResponderApi, operator
from homeostat import settings
from homeostat.errors import NotFound, Permanent, Unreachable
from homeostat.quantities import parse_duration
from homeostat.settings import Settings
from homeostat.silences import LONGEST_S
from responder.holds import file_of
from responder.upkeep import ID

_PATH = "/api/v1/maintenance"
#: The responder itself waits 5 s for Alertmanager, for each of the things that it asks.
_TIMEOUT_S = 30.0


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as err:
        raise click.BadParameter(str(err)) from None
    if not 1.0 <= seconds <= LONGEST_S:
        raise click.BadParameter(f"must be from 1s to {LONGEST_S / 86400:g}d, for example 2h")
    return seconds


@click.group()
def maintenance() -> None:
    """Planned work: people are not called, and nothing is repaired."""


@maintenance.command()
@SETTINGS
@click.option("--for", "lasts_s", callback=_seconds, required=True, metavar="TIME", help="At most 7d; for example 2h.")
@click.option("--why", required=True, metavar="TEXT", help="Is shown to whoever wonders about the silence.")
@click.option("--by", default=None, metavar="NAME", help="Instead of who runs this.")
@click.argument("workloads", metavar="WORKLOAD...", nargs=-1, required=True)
def start(path: Path, lasts_s: float, why: str, by: str | None, workloads: tuple[str, ...]) -> None:
    """Begin now, on WORKLOADs: PROJECT/SERVICE, PROJECT/* or *. Once more for the same ones: it lasts longer.

    A silence in Alertmanager mutes what people get, and a hold keeps homeostat's hands off. Exit code 1 when only one
    of the two was done, 3 when none was.
    """
    with explained():
        loaded = settings.load(path)
        body = {"workloads": workloads, "seconds": lasts_s, "why": why, "by": by or operator()}
        try:
            answer = asyncio.run(ResponderApi(loaded, _TIMEOUT_S).post(_PATH, body))
        except Unreachable as err:
            raise Unreachable(f"{err}\n{_without_responder(loaded, workloads)}") from err
        console.print(
            f"maintenance {answer['id']} of {', '.join(answer['workloads'])} until {answer['until']}", **_DATA
        )
        is_whole = _parts(answer, "people are not called", "nothing is repaired")
    sys.exit(0 if is_whole else EXIT_NOT_WELL)


@maintenance.command()
@SETTINGS
@click.argument("which", metavar="ID|WORKLOAD...", nargs=-1, required=True)
def stop(path: Path, which: tuple[str, ...]) -> None:
    """End it before its time, by its id or by all the workloads that it was started with.

    Exit code 1 when only one of silence and hold was ended; the other one ends at its time.
    """
    with explained():
        api = ResponderApi(settings.load(path), _TIMEOUT_S)
        is_whole = asyncio.run(_stop(api, which))
    sys.exit(0 if is_whole else EXIT_NOT_WELL)


@maintenance.command("list")
@SETTINGS
@click.option("--json", "as_json", is_flag=True, help="As the responder's API says it.")
def list_(path: Path, *, as_json: bool) -> None:
    """What runs, the windows of homeostat.yml, and others' silences. Exit code 1 when not all of it could be read."""
    with explained():
        found = asyncio.run(ResponderApi(settings.load(path), _TIMEOUT_S).get(_PATH))
        if as_json:
            click.echo(json.dumps(found, indent=2))
        else:
            _show(found)
        for problem in found["problems"]:
            errors.print(problem, style="red", markup=False)
    sys.exit(EXIT_NOT_WELL if found["problems"] else 0)


#: What others wrote is data, and is not broken in the middle.
_DATA: Mapping[str, Any] = {"markup": False, "soft_wrap": True}


async def _stop(api: ResponderApi, which: Sequence[str]) -> bool:
    ids = [each for each in which if re.fullmatch(ID, each)]
    patterns = {each for each in which if not re.fullmatch(ID, each)}
    if patterns:
        ids += _named(await api.get(_PATH), patterns)
    is_whole = True
    for each in dict.fromkeys(ids):
        answer = await api.delete(f"{_PATH}/{each}", {})
        console.print(f"maintenance {each} of {', '.join(answer['workloads'])} has ended", **_DATA)
        is_whole = _parts(answer, "people are called again", "repairs go on") and is_whole
    return is_whole


def _named(found: Mapping[str, Any], patterns: set[str]) -> list[str]:
    """Ids of those that are about nothing but these. Raises NotFound, and Permanent when one is about more."""
    touched = [each for each in found["maintenance"] if patterns & set(each["workloads"])]
    whole = [each for each in touched if set(each["workloads"]) <= patterns]
    unknown = patterns - {pattern for each in touched for pattern in each["workloads"]}
    if unknown:
        running = ", ".join(f"{each['id']} ({' '.join(each['workloads'])})" for each in found["maintenance"])
        raise NotFound(f"no maintenance of {', '.join(sorted(unknown))}; running: {running or 'none'}")
    left = patterns - {pattern for each in whole for pattern in each["workloads"]}
    if left:
        more = ", ".join(f"{each['id']} ({' '.join(each['workloads'])})" for each in touched if each not in whole)
        raise Permanent(f"maintenance is ended as a whole: name its id, or all of its workloads: {more}")
    return [each["id"] for each in whole]


def _parts(answer: Mapping[str, Any], silenced: str, held: str) -> bool:
    for name, words in (("silence", silenced), ("hold", held)):
        part = answer[name]
        if part["done"]:
            console.print(f"{name}: done, {words}" + (f" ({part['detail']})" if part["detail"] else ""), **_DATA)
        else:
            errors.print(f"{name}: NOT done: {part['detail']}", style="red", markup=False)
    return bool(answer["whole"])


def _without_responder(loaded: Settings, workloads: Sequence[str]) -> str:
    return (
        f"Nothing was done. While no responder runs, nothing is repaired. To keep its hands off when it is back, write "
        f"{' and '.join(workloads)} (one a line) into {file_of(loaded)}, and delete that later: it has no end. "
        "People are still called; a silence can be made at Alertmanager."
    )


def _show(found: Mapping[str, Any]) -> None:
    running = [
        (
            each["id"],
            " ".join(each["workloads"]),
            each["until"],
            each["by"],
            each["why"],
            "yes" if each["silences"] else "none",
            " ".join(hold["pattern"] for hold in each["holds"]) or "none",
            str(each["muted"]),
        )
        for each in found["maintenance"]
    ]
    _table(("id", "workloads", "until", "by", "why", "silence", "hold", "muted now"), running)
    if not running:
        console.print("no maintenance")
    windows = [
        (
            f"{' '.join(each['weekdays']) or 'every day'} {each['start']}-{each['end']} {each['timezone']}",
            " ".join(each["workloads"]),
            "now" if each["is_on"] else "next",
            each["from"],
            each["until"],
        )
        for each in found["windows"]
    ]
    _table(("window of homeostat.yml", "workloads", "on", "from", "until"), windows)
    foreign = [
        (each["id"], " ".join(each["matchers"]), each["until"], each["by"], each["comment"])
        for each in found["foreign"]
    ]
    _table(("silence of others", "mutes", "until", "by", "comment"), foreign)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Nothing without rows. Cells are data of others, and may look like rich's markup."""
    if rows:
        table = Table(*heads)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)
