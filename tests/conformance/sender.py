"""Alerts posted as Prometheus posts them: again and again, each time with an end a little later."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.conformance.alertmanager import stamp
from tests.conformance.errors import KitError, Unreachable

RESEND_S = 1.0
#: Prometheus writes an end of four times its resend delay; more here, so that a busy machine makes no alert end.
_LASTS_S = 15.0


@dataclass(slots=True)
class Sent:
    """One alert as the sender knows it. ``ends_at``: None while it lasts. ``to``: Alertmanagers' URLs."""

    labels: Mapping[str, str]
    starts_at: float
    to: Sequence[str]
    ends_at: float | None = None

    def body(self) -> dict[str, object]:
        end = self.ends_at if self.ends_at is not None else time.time() + _LASTS_S
        return {
            "labels": dict(self.labels),
            "annotations": {"summary": "Made by the conformance kit."},
            "startsAt": stamp(self.starts_at),
            "endsAt": stamp(end),
            "generatorURL": "http://127.0.0.1/conformance",
        }


@dataclass(slots=True)
class Sender:
    """Keeps what it was given and sends it again until it is told to forget."""

    session: aiohttp.ClientSession
    _kept: dict[str, Sent] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled. An Alertmanager that is away gets it the next time."""
        while True:
            await asyncio.sleep(RESEND_S)
            with contextlib.suppress(Unreachable):
                await self.post(*self._kept.values())

    def keep(self, key: str, sent: Sent) -> None:
        """Instead of what was kept under this key."""
        self._kept[key] = sent

    def forget(self, *keys: str) -> None:
        """Fall silent about them: no end is ever told."""
        for key in keys:
            self._kept.pop(key, None)

    async def post(self, *alerts: Sent) -> None:
        """Once, now: one request to each Alertmanager. Raises Unreachable, and KitError when it refuses."""
        for url in dict.fromkeys(url for alert in alerts for url in alert.to):
            await self._post(url, [alert.body() for alert in alerts if url in alert.to])

    async def _post(self, url: str, body: Sequence[object]) -> None:
        try:
            async with self.session.post(f"{url}/api/v2/alerts", json=body) as response:
                if response.status != 200:
                    raise KitError(f"Alertmanager refused an alert: {response.status} {(await response.text())[:300]}")
        except aiohttp.ClientError as err:
            raise Unreachable(f"Alertmanager at {url} does not answer: {err}") from err
