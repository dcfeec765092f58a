"""A responder in a process of its own, with everything around it that would let it act, and a watch on what it does."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from effort import FACTOR
from fakes.stack import TOKEN, Server, Site, pick_port
from gullible import World, serving
from memory import Memory
from rawhttp import WITHIN_S, Answer, Client

from homeostat.names import ALERT_DEAD_MAN, OWN_ALERTS
from homeostat.quantities import host_port

WEBHOOK = b"/webhook/alertmanager"
#: Of the webhook. 417 to an Expect that nobody knows.
RIGHT = {202, 400, 401, 404, 405, 413, 417}

_AUTHORIZATION = f"Authorization: Bearer {TOKEN}".encode()
_STEPS = re.compile(r"^homeostat_steps_total\{.*\} ([0-9.e+]+)$", re.MULTILINE)


class Besieged:
    """``client`` has the token, ``stranger`` has not. ``taken``: fingerprint -> the states it was delivered in, of what
    was answered 202.
    """

    def __init__(self, folder: Path, server: Server, world: World, listen: str) -> None:
        self.folder = folder
        self.server = server
        self.world = world
        self.client = Client(*host_port(listen), headers=(_AUTHORIZATION,))
        self.stranger = Client(*host_port(listen))
        self.taken: dict[str, set[str]] = {}

    def deliver(self, body: bytes, *headers: bytes) -> Answer:
        """POST to the webhook. What is taken in is remembered."""
        sent = _alerts(body)
        self.world.delivered.extend(alert["fingerprint"] for alert in sent)
        answer = self.client.send(b"POST", WEBHOOK, body, *headers)
        if answer.status == 202:
            self.remember(body)
        return answer

    def remember(self, body: bytes) -> None:
        for alert in _alerts(body):
            self.taken.setdefault(alert["fingerprint"], set()).add(alert["status"])

    def get(self, path: str) -> str:
        answer = self.client.send(b"GET", path.encode())
        assert answer.status == 200, answer
        return answer.body.decode()

    def check(self) -> None:
        """It is ready and has not complained, its ledger is whole and holds what it took in, and nothing was done."""
        assert self.get("/-/ready")
        log = self.server.log.read_text()
        for word in ("Traceback", "exception", "Unhandled", "service.failed", "recovery.failed", TOKEN):
            assert word not in log, log[max(log.index(word) - 500, 0) :][:3000]
        assert json.loads(self.get("/api/v1/ledger/verify"))["problems"] == []
        self._check_kept()
        assert self.actions() == []

    def _check_kept(self) -> None:
        listed = json.loads(self.get("/api/v1/episodes?limit=1000"))
        kept = [episode["fingerprint"] for episode in listed]
        firing_only = {fingerprint for fingerprint, states in self.taken.items() if states == {"firing"}}
        if FACTOR > 1 and len(kept) == 1000:  # more than the API lists: of those that it does
            firing_only &= set(kept)
        assert {each: kept.count(each) for each in firing_only} == dict.fromkeys(firing_only, 1)
        assert set(kept) <= self.taken.keys(), "what was turned away is in the ledger"

    def actions(self) -> list[str]:
        """Whatever it did: hooks called, programs run, steps counted."""
        steps = [count for count in _STEPS.findall(self.get("/metrics")) if float(count)]
        return [*self.world.acted, *(str(path) for path in self.folder.glob("ran*")), *steps]

    def eventually(self, condition: Callable[[], object], within_s: float = 15.0) -> object:
        """The condition's first true value, or its last one."""
        end = time.monotonic() + within_s
        while time.monotonic() < end and not condition():
            time.sleep(0.05)
        return condition()

    def memory(self) -> Memory:
        assert self.server.process is not None
        return Memory(self.server.process.pid)


@contextlib.contextmanager
def besieged(folder: Path, **responder: object) -> Iterator[Besieged]:
    """The real application, started as users start it. ``responder``: more of that section."""
    site, world = Site(folder / "site", None, _sections(pick_port(), folder, responder)), World()
    server = site.responder_process()
    ports = [host_port(url.removeprefix("http://"))[1] for url in _urls(site)]
    with serving(world, *ports):
        server.launch()
        try:
            place = Besieged(folder, server, world, site.settings.responder.listen)
            _wait_until_ready(place)
            yield place
        finally:
            server.kill()


def check(answer: Answer) -> None:
    """What every answer of the webhook is."""
    assert answer.status in RIGHT, answer
    assert answer.seconds < WITHIN_S
    # To who sends no HTTP, aiohttp shows the line that is none, whatever is in it.
    assert TOKEN.encode() not in answer.body or answer.head.startswith(b"HTTP/1.0 400")


def _sections(hooks: int, folder: Path, responder: Mapping[str, object]) -> dict[str, object]:
    """Every workload offers every hook, and every remedy would do something that leaves a trace."""
    names = ("gc", "cache-clear", "reset-connections")
    workload = {"enable": True, "hooks": {name: f"http://127.0.0.1:{hooks}/hooks/{name}" for name in names}}
    mark = {"action": "exec", "command": "mark", "verify": {"within": "1s", "hold": "0s"}}
    return {
        "processes": {name: {"command": [name]} for name in ("api", "worker")},
        "workloads": {f"local/{name}": workload for name in ("api", "worker")},
        "ladders": {"mark": {"steps": [mark]}, "careful": {"steps": [{**mark, "approval": "10m"}]}},
        "responder": {
            "commands": {"mark": {"argv": ["touch", str(folder / "ran")]}},
            "storm": {"workloads": 1_000_000},  # the brake would keep it from deciding anything
            "reconcile_interval": "1h",
            **responder,
        },
    }


def _urls(site: Site) -> list[str]:
    hook = next(iter(site.settings.workloads["local/api"].hooks.values()))
    responder = site.settings.responder
    return [responder.prometheus_url, responder.alertmanager_url, hook[: hook.index("/hooks/")]]


def _wait_until_ready(place: Besieged) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if place.stranger.send(b"GET", b"/-/ready").status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(place.server.log.read_text())


def _alerts(body: bytes) -> Sequence[Mapping[str, str]]:
    """As the responder would read them; those of its own are not kept. Nothing, when it is no payload."""
    try:
        alerts = json.loads(body.decode())["alerts"]
        found = [{"fingerprint": alert["fingerprint"], "status": alert["status"]} for alert in alerts]
        own = [alert["labels"].get("alertname") in (ALERT_DEAD_MAN, *OWN_ALERTS) for alert in alerts]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    return [
        alert for alert, is_own in zip(found, own, strict=True) if not is_own and isinstance(alert["fingerprint"], str)
    ]
