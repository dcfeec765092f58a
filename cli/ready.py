"""Waiting, with something to look at, until every part answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from homeostat.errors import Unreachable

_DEADLINE_S = 60.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """One process of homeostat, where it listens, and the path that says it is ready."""

    name: str
    listen: str
    path: str
    log: str = ""


async def is_ready(part: Part, session: aiohttp.ClientSession) -> bool:
    """Whether the part answers below 400."""
    try:
        async with asyncio.timeout(2.0), session.get(f"http://{part.listen}{part.path}") as response:
            return response.status < 400  # noqa: PLR2004 - HTTP
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def wait_until_ready(parts: Sequence[Part], console: Console) -> None:
    """Raises Unreachable, naming what did not come up, after a minute."""
    waiting = list(parts)
    columns = (TextColumn("starting"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(parts))
        try:
            async with asyncio.timeout(_DEADLINE_S), aiohttp.ClientSession() as session:
                while waiting:
                    ready = await asyncio.gather(*(is_ready(part, session) for part in waiting))
                    waiting = [part for part, good in zip(waiting, ready, strict=True) if not good]
                    names = ", ".join(part.name for part in waiting)
                    progress.update(task, completed=len(parts) - len(waiting), description=names)
                    await asyncio.sleep(_POLL_S if waiting else 0)
        except TimeoutError:
            lines = [
                f"{part.name} at {part.listen} is not ready after {_DEADLINE_S:g} s; see {part.log}" for part in waiting
            ]
            raise Unreachable("\n".join(lines)) from None
