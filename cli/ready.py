"""Waiting, with something to look at, until every part answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from homeostat.errors import Permanent, Unreachable

_DEADLINE_S = 60.0
_POLL_S = 0.2
_RELOAD_S = 10.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of homeostat, where it listens, the path that says it is ready, whether it has ``/-/reload``."""

    name: str
    listen: str
    path: str
    log: str = ""
    reload: bool = False


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


async def reload(parts: Sequence[Part]) -> None:
    """Have every part read its configuration again: what is running already may be older than the files.

    Raises Permanent with the part's own words when it refuses.
    """
    async with aiohttp.ClientSession() as session:
        for part in parts:
            if part.reload:
                await _reload(part, session)


async def _reload(part: Part, session: aiohttp.ClientSession) -> None:
    try:
        async with asyncio.timeout(_RELOAD_S), session.post(f"http://{part.listen}/-/reload") as response:
            if response.status >= 400:  # noqa: PLR2004 - HTTP
                raise Permanent(f"{part.name} refuses its configuration: {(await response.text()).strip()}")
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise Unreachable(f"{part.name} at {part.listen} does not answer") from err
