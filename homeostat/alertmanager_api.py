"""Alertmanager's API v2: what it holds now, and alerts of our own posted to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp

from homeostat.clock import parse_rfc3339, rfc3339
from homeostat.errors import Permanent, Unreachable
from homeostat.jsonrows import JsonRows

TIMEOUT_S = 5.0
#: Some hundred alerts: a millisecond of work between two looks around.
_CHUNK = 64 * 1024


class AlertState(StrEnum):
    """Alertmanager's own words."""

    ACTIVE = "active"
    SUPPRESSED = "suppressed"
    UNPROCESSED = "unprocessed"


@dataclass(frozen=True, slots=True)
class HeldAlert:
    """One alert as Alertmanager holds it. ``updated_at``: when a sender last told of it. ``muted_by``: what silences or
    inhibits it, in people's words.
    """

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    updated_at: float
    state: AlertState
    muted_by: str


@dataclass(frozen=True, slots=True)
class PostedAlert:
    """An alert of ours. ``ends_at`` in the past resolves it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: float
    ends_at: float


class AlertmanagerClient:
    """Raises Unreachable when the server does not answer, Permanent when it refuses."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def held(self, *matchers: str) -> list[HeldAlert]:
        """Alerts not yet ended, silenced and inhibited ones too, that match all ``matchers``, e.g. ``remedy=~".+"``."""
        rows = await self._request("GET", params=[("filter", matcher) for matcher in matchers])
        try:
            if not isinstance(rows, list):
                raise TypeError(f"a list was expected, not {type(rows).__name__}")  # noqa: TRY301 - said below
            return [_held(row) for row in rows]
        except (LookupError, TypeError, ValueError) as err:
            raise Permanent(f"{self._url} does not answer as Alertmanager does: {err!r}") from err

    async def held_in_pages(self, *matchers: str) -> AsyncIterator[list[HeldAlert]]:
        """As :meth:`held`, as they arrive: tens of thousands at once take a hundred MB, and a second of the loop."""
        rows = JsonRows()
        params = [("filter", matcher) for matcher in matchers]
        async with self._answered("GET", params=params) as response:
            try:
                while chunk := await self._chunk(response):
                    yield [_held(row) for row in rows.feed(chunk)]
                rows.close()
            except (LookupError, TypeError, ValueError) as err:
                raise Permanent(f"{self._url} does not answer as Alertmanager does: {err!r}") from err

    async def _chunk(self, response: aiohttp.ClientResponse) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await response.content.read(_CHUNK)

    async def post(self, alerts: Sequence[PostedAlert]) -> None:
        """Create, refresh or resolve alerts of ours."""
        body = [
            {
                "labels": dict(alert.labels),
                "annotations": dict(alert.annotations),
                "startsAt": rfc3339(alert.starts_at),
                "endsAt": rfc3339(alert.ends_at),
            }
            for alert in alerts
        ]
        await self._request("POST", json=body)

    async def _request(self, method: str, **options: Any) -> Any:  # JSON, typed by the callers
        async with self._answered(method, **options) as response:
            async with asyncio.timeout(TIMEOUT_S):
                return await response.json() if method == "GET" else None

    def _answered(self, method: str, **options: Any) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return answered(self._session, self._url, method, "alerts", **options)


@asynccontextmanager
async def answered(
    session: aiohttp.ClientSession, url: str, method: str, path: str, **options: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The head of an answer of the API v2 that is no error; the body is read inside. Raises Unreachable, Permanent."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            response = await session.request(method, f"{url}/api/v2/{path}", **options)
        async with response:
            if response.status >= 500:  # noqa: PLR2004 - HTTP
                raise Unreachable(f"Alertmanager at {url} failed: {response.status}")
            if response.status >= 400:  # noqa: PLR2004 - HTTP
                raise Permanent(f"Alertmanager refused: {(await response.text())[:200]}")
            yield response
    except TimeoutError:
        raise Unreachable(f"Alertmanager at {url} did not answer within {TIMEOUT_S:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as err:
        raise Unreachable(f"Alertmanager at {url} does not answer: {err}") from err


def equals(label: str, value: str) -> str:
    """The matcher for exactly this value, whatever is in it. No more escapes than these: 0.25 knows no others."""
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        value = value.replace(char, escaped)
    return f'{label}="{value}"'


def _held(row: Mapping[str, Any]) -> HeldAlert:
    status = row["status"]
    muted = [f"silence {name}" for name in status["silencedBy"]] + [f"alert {name}" for name in status["inhibitedBy"]]
    return HeldAlert(
        fingerprint=row["fingerprint"],
        labels=row["labels"],
        annotations=row["annotations"],
        starts_at=parse_rfc3339(row["startsAt"]) or 0.0,
        updated_at=parse_rfc3339(row["updatedAt"]) or 0.0,
        state=AlertState(status["state"]),
        muted_by=", ".join(muted),
    )
