"""The network between Alertmanager and the receiver: a reverse proxy that writes down every delivery.

What a network does is done here, one scenario at a time: a delivery is held up, an answer comes late or is lost, an old
delivery arrives once more. The receiver gets Alertmanager's own bytes.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.conformance.observations import Delivery, SeenAlert
from tests.conformance.trouble import short_name

#: A receiver that takes longer has not answered. Alertmanager itself would give up after 10 s or group_interval.
_ANSWER_TIMEOUT_S = 30.0


@dataclass(slots=True)
class Wire:
    """What the network does to one scenario's deliveries, and those that went over it.

    ``answer_after_s``: how much later an answer arrives. ``lose_answers``: of so many deliveries the answer is lost.
    ``open``: while it is not set, deliveries wait before the receiver. ``arrived``: set when Alertmanager sends one.
    """

    answer_after_s: float = 0.0
    lose_answers: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open.set()


@dataclass(frozen=True, slots=True)
class Receiver:
    """The one under test. ``token``: of its bearer authentication; empty for none."""

    url: str
    token: str = field(default="", repr=False)


class Relay:
    """Serves POST /SCENARIO on a port of its own while in its context."""

    def __init__(self, receiver: Receiver, session: aiohttp.ClientSession) -> None:
        self._receiver = receiver
        self._session = session
        self._wires: dict[str, Wire] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """The URL that scenarios' names are appended to."""
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes([web.post("/{scenario}", self._handle)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def wire(self, scenario: str) -> Wire:
        return self._wires.setdefault(scenario, Wire())

    async def replay(self, scenario: str, delivery: Delivery) -> None:
        """A copy of an old delivery that was under way all the time."""
        await self._pass_on(self.wire(scenario), delivery.body)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        wire = self.wire(request.match_info["scenario"])
        body = await request.read()
        wire.arrived.set()
        await wire.open.wait()
        answer, content = await self._pass_on(wire, body)
        if wire.lose_answers > 0:
            wire.lose_answers -= 1
            if request.transport is not None:
                request.transport.abort()
        await asyncio.sleep(wire.answer_after_s)
        return web.Response(status=answer or 502, body=content)

    async def _pass_on(self, wire: Wire, body: bytes) -> tuple[int | None, bytes]:
        headers = {"Content-Type": "application/json", "User-Agent": "Alertmanager/conformance"}
        if self._receiver.token:
            headers["Authorization"] = f"Bearer {self._receiver.token}"
        at = time.monotonic()
        answer, content = None, b""
        try:
            async with (
                asyncio.timeout(_ANSWER_TIMEOUT_S),
                self._session.post(self._receiver.url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                answer, content = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as err:
            content = repr(err).encode()
        wire.deliveries.append(_delivery(json.loads(body), body, at, answer))
        return answer, content


def _delivery(payload: Mapping[str, object], body: bytes, at: float, answer: int | None) -> Delivery:
    alerts = payload["alerts"]
    assert isinstance(alerts, list)
    return Delivery(
        at=at,
        sender=str(payload["externalURL"]),
        group_key=str(payload["groupKey"]),
        status=str(payload["status"]),
        truncated=int(str(payload.get("truncatedAlerts", 0))),
        alerts=tuple(_alert(alert) for alert in alerts),
        answer=answer,
        took_s=time.monotonic() - at,
        body=body,
    )


def _alert(alert: Mapping[str, object]) -> SeenAlert:
    labels = alert["labels"]
    assert isinstance(labels, dict)
    workload, status, fingerprint = short_name(labels["workload"]), str(alert["status"]), str(alert["fingerprint"])
    return SeenAlert(workload, status, fingerprint, str(alert["startsAt"]), str(alert["endsAt"]))
