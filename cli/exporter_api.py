"""What the running exporter knows of leaks, as the commands ask it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from exporters.leaks.assessment import Assessment, Verdict
from homeostat.errors import NotFound, Permanent, Unreachable

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Series:
    """One resource of one container or process. ``bound``: what sets the limit. ``last_sample``: epoch seconds.
    ``history``: (epoch seconds, floor), oldest first, where it was asked for.
    """

    workload: str
    container: str
    resource: str
    assessment: Assessment
    value: float | None
    bound: str | None
    last_sample: float | None
    history: tuple[tuple[float, float], ...] = ()


async def leaks(listen: str, params: Mapping[str, str]) -> list[Series]:
    """``GET /leaks``. Raises Unreachable when the exporter does not answer, NotFound when it has no such page,
    Permanent when it refuses or answers something else.
    """
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            aiohttp.ClientSession() as session,
            session.get(f"http://{listen}/leaks", params=params) as response,
        ):
            status, text = response.status, await response.text()
            answer: Any = await response.json() if response.ok else None
    except aiohttp.ContentTypeError as err:
        raise Permanent(f"what answers at {listen} is no exporter; see exporter.listen in homeostat.yml") from err
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
        raise Unreachable(f"the exporter at {listen} does not answer: `homeostat up`?") from err
    if status == 404:  # noqa: PLR2004 - HTTP
        raise NotFound(
            f"the exporter at {listen} tells of no leaks: it is older than this command; `homeostat up` again"
        )
    if status >= 400:  # noqa: PLR2004 - HTTP
        raise Permanent(f"the exporter at {listen} refused: {status} {' '.join(text.split()):.200}")
    try:
        return [_series(row) for row in answer["series"]]
    except (KeyError, TypeError, ValueError) as err:
        raise Permanent(f"the exporter at {listen} is of another version: it says {err!r:.100}") from err


def _series(row: Mapping[str, Any]) -> Series:
    return Series(
        workload=str(row["workload"]),
        container=str(row["container"] or ""),
        resource=str(row["resource"]),
        assessment=_assessment(row),
        value=_optional(row["value"]),
        bound=None if row["bound"] is None else str(row["bound"]),
        last_sample=_optional(row["last_sample"]),
        history=tuple((float(at), float(floor)) for at, floor in row.get("history") or ()),
    )


def _assessment(row: Mapping[str, Any]) -> Assessment:
    return Assessment(
        verdict=Verdict(row["verdict"]),
        slope=float(row["slope"]),
        slope_low=float(row["slope_low"]),
        slope_high=float(row["slope_high"]),
        confidence=float(row["confidence"]),
        exhaustion=_optional(row["exhaustion"]),
        exhaustion_cautious=_optional(row["exhaustion_cautious"]),
        onset=_optional(row["onset"]),
        limit=_optional(row["limit"]),
        reasons=tuple(str(reason) for reason in row["reasons"]),
    )


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)
