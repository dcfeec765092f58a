"""What a scenario can do: alerts, their ends, the network, Alertmanager itself; and what it can wait for."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tests.conformance.alertmanager import Alertmanager
from tests.conformance.judging import ACT_WITHIN_S
from tests.conformance.ledger import Ledger
from tests.conformance.observations import Delivery, Observations
from tests.conformance.relay import Relay, Wire
from tests.conformance.routes import INHIBITOR, TROUBLE, Route, render
from tests.conformance.sender import Sender, Sent
from tests.conformance.sink import Sink
from tests.conformance.trouble import Troubles, label_value

#: For how long nothing may happen before a scenario says that nothing happened.
QUIET_S = 6.0
#: An alert comes from a rule that is true already: a Prometheus that scrapes the sink twice a second has seen it.
PROMETHEUS_SEES_S = 1.5
_LOOK_EVERY_S = 0.02


@dataclass(slots=True)
class Site:
    """Everything that runs around the receiver in one stage. ``run``: a label, so that no earlier run is met again."""

    alertmanagers: Sequence[Alertmanager]
    routes: dict[str, Route]
    sender: Sender
    relay: Relay
    relay_url: str
    sink: Sink
    troubles: Troubles
    ledger: Ledger | None
    run: str

    def configure(self) -> None:
        """Write every Alertmanager's configuration."""
        for each in self.alertmanagers:
            each.configure(render(self.routes, self.relay_url))

    @property
    def urls(self) -> list[str]:
        return [each.url for each in self.alertmanagers]


@dataclass(slots=True)
class Scene:
    """One scenario's part of the site."""

    name: str
    workloads: tuple[str, ...]
    site: Site
    _marks: dict[str, float] = field(default_factory=dict)
    _starts: dict[str, float] = field(default_factory=dict)

    @property
    def wire(self) -> Wire:
        return self.site.relay.wire(self.name)

    @property
    def alertmanager(self) -> Alertmanager:
        """The one that receivers are told to ask."""
        return self.site.alertmanagers[0]

    def mark(self, name: str) -> None:
        """Judges count from here."""
        self._marks[name] = time.monotonic()

    # Trouble and its alerts.

    async def fire(self, *workloads: str, mends: Collection[str] = ()) -> None:
        """Trouble begins, and a rule finds it. ``mends``: where the receiver's action ends it (not its alert)."""
        self.begin(*workloads, mends=mends)
        await asyncio.sleep(PROMETHEUS_SEES_S)
        await self.alert(*workloads)

    def begin(self, *workloads: str, mends: Collection[str] = ()) -> None:
        """The trouble alone; nobody has noticed yet."""
        for workload in workloads:
            self.site.troubles.begin(workload, mends=workload in mends)

    async def alert(self, *workloads: str) -> None:
        """The alert alone, from now on, sent again every second."""
        now = time.time()
        self._starts |= dict.fromkeys(workloads, now)
        await self._send({workload: self._sent(workload, self.site.urls) for workload in workloads})

    async def alert_once(self, workload: str, lasts_s: float) -> None:
        """By a sender that dies at once: it ends at the time that was written into it."""
        now = time.time()
        self._starts[workload] = now
        sent = self._sent(workload, self.site.urls)
        sent.ends_at = now + lasts_s
        await self.site.sender.post(sent)

    async def end(self, *workloads: str) -> None:
        """The trouble ends, and the rule is no longer true."""
        for workload in workloads:
            self.site.troubles.end(workload)
        await asyncio.sleep(PROMETHEUS_SEES_S)
        await self.resolve(*workloads)

    def forget(self, workload: str) -> None:
        """Its sender falls silent, whatever it said last. (Prometheus repeats an end for 15 min.)"""
        self.site.sender.forget(*(f"{workload} {url}" for url in self.site.urls))

    async def resolve(self, *workloads: str, at: Alertmanager | None = None) -> None:
        """The alert alone; ``at`` one Alertmanager, where the other one's sender knows nothing of it."""
        urls = [at.url] if at else self.site.urls
        now = time.time()
        ended = {workload: self._sent(workload, urls) for workload in workloads}
        for sent in ended.values():
            sent.ends_at = now
        await self._send(ended)

    async def inhibit(self, workload: str) -> None:
        """Another alert mutes this one from now on."""
        labels = {"alertname": INHIBITOR, "workload": label_value(workload), "run": self.site.run}
        sent = Sent(labels, time.time(), self.site.urls)
        self.site.sender.keep(f"{INHIBITOR} {workload}", sent)
        await self.site.sender.post(sent)

    async def uninhibit(self, workload: str) -> None:
        labels = {"alertname": INHIBITOR, "workload": label_value(workload), "run": self.site.run}
        self.site.sender.forget(f"{INHIBITOR} {workload}")
        await self.site.sender.post(Sent(labels, time.time() - 60, self.site.urls, ends_at=time.time()))

    def _sent(self, workload: str, urls: Sequence[str]) -> Sent:
        labels = {
            "alertname": TROUBLE,
            "workload": label_value(workload),
            "severity": "critical",
            "remedy": "conformance",
            "scenario": self.name,
            "run": self.site.run,
        }
        return Sent(labels, self._starts[workload], urls)

    async def _send(self, alerts: Mapping[str, Sent]) -> None:
        for workload, sent in alerts.items():
            for url in sent.to:
                # One entry for each Alertmanager: what ends at one may go on at the other.
                self.site.sender.keep(f"{workload} {url}", Sent(sent.labels, sent.starts_at, [url], sent.ends_at))
        await self.site.sender.post(*alerts.values())

    # Alertmanager.

    async def edit_route(self, route: Route) -> None:
        """Reload with another route for this scenario; all others stay as they are."""
        self.site.routes[self.name] = route
        self.site.configure()
        await self.alertmanager.reload()

    # Waiting. None of these fails: what did not come is the judge's matter.

    async def arrived(self) -> None:
        """Until Alertmanager sends something, be it held up before the receiver."""
        await self._until(self.wire.arrived.is_set, ACT_WITHIN_S)

    async def quiet(self, seconds: float = QUIET_S) -> None:
        await asyncio.sleep(seconds)

    async def acted(self, *workloads: str, times: int = 1) -> None:
        """Until the receiver has acted so often on each of them."""

        def have_all() -> bool:
            counts = [sum(action.workload == name for action in self.site.sink.actions) for name in workloads]
            return min(counts) >= times

        await self._until(have_all, ACT_WITHIN_S)

    async def delivered(self, condition: Callable[[Sequence[Delivery]], object], within_s: float = 30.0) -> None:
        """Until the deliveries so far are as asked for."""
        await self._until(lambda: bool(condition(self.wire.deliveries)), within_s)

    async def _until(self, condition: Callable[[], bool], within_s: float) -> None:
        end = time.monotonic() + within_s
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(_LOOK_EVERY_S)

    # The end.

    def observations(self) -> Observations:
        own = self.workloads
        ledger = self.site.ledger
        return Observations(
            deliveries=tuple(self.wire.deliveries),
            actions=tuple(action for action in self.site.sink.actions if action.workload in own),
            marks=dict(self._marks),
            claims=None if ledger is None else tuple(claim for claim in ledger.claims if claim.workload in own),
        )

    async def clear(self) -> None:
        """All is well again, the network too."""
        self.wire.open.set()
        self.wire.answer_after_s = 0.0
        for workload in self.workloads:
            self.site.troubles.end(workload)
        await self.resolve(*(workload for workload in self.workloads if workload in self._starts))
