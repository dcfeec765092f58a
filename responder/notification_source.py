"""Alertmanager, asked for what becomes of an alert: who gets it, what mutes it, which notifications have gone out."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import aiohttp
import yaml

from homeostat.alertmanager_api import PostedAlert, equals
from homeostat.errors import Permanent, Unreachable
from responder.notifications import OURS, Reading, integrations, read_counts

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Held:
    """The test alert as Alertmanager holds it. ``receivers``: without our own."""

    receivers: tuple[str, ...]
    muted_by: tuple[str, ...]


class NotificationSource:
    """Raises Unreachable when Alertmanager does not answer, Permanent when it is none."""

    def __init__(self, url: str, session: aiohttp.ClientSession, deliveries: Callable[[], float]) -> None:
        """``deliveries``: how many requests our own webhook has answered."""
        self._url = url
        self._session = session
        self._deliveries = deliveries
        self._ours = deliveries()

    async def reading(self) -> Reading:
        """The counters now. The first one should be asked for a moment after this object was made."""
        before, page = self._ours, await self._get("/metrics")
        self._ours = self._deliveries()
        with self._understood():
            return Reading(read_counts(page), self._ours, before)

    async def integrations(self) -> dict[str, frozenset[str]]:
        """Receiver -> what it sends by, e.g. email."""
        page = await self._get("/api/v2/status")
        with self._understood():
            return await asyncio.to_thread(lambda: integrations(yaml.safe_load(json.loads(page)["config"]["original"])))

    async def held(self, alert: PostedAlert) -> Held:
        """An alert that was just posted."""
        filters = [("filter", equals(name, value)) for name, value in alert.labels.items()]
        page = await self._get("/api/v2/alerts", *filters)
        with self._understood():
            [found] = json.loads(page)
            receivers = tuple(sorted(row["name"] for row in found["receivers"] if row["name"] != OURS))
            status = found["status"]
            muted = [f"silence {name}" for name in status["silencedBy"]]
            muted += [f"alert {name}" for name in status["inhibitedBy"]]
            muted += [f"time interval {name}" for name in status.get("mutedBy") or ()]
            return Held(receivers, tuple(f"muted by {each}" for each in muted))

    async def _get(self, path: str, *params: tuple[str, str]) -> str:
        url = f"{self._url}{path}"
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._session.get(url, params=params) as response:
                page = await response.text()
        except TimeoutError:
            raise Unreachable(f"Alertmanager: {url} did not answer within {_TIMEOUT_S:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as err:
            raise Unreachable(f"Alertmanager: {url} does not answer: {err}") from err
        if response.status >= 400:  # noqa: PLR2004 - HTTP
            raise Unreachable(f"Alertmanager: {url} failed: {response.status}")
        return page

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, yaml.YAMLError) as err:
            raise Permanent(f"{self._url} does not answer as Alertmanager does: {type(err).__name__}") from err
