"""The servers around a responder, as bad as they can be: an Alertmanager that holds every alert anybody asks for, a
Prometheus that has every rule. Only one thing keeps the responder from acting then: that no rule is true.
"""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_RULE = "the_rule"
_REMEMBERED = 50


@dataclass(slots=True)
class World:
    """``delivered``: fingerprints that Alertmanager says it holds. ``troubled``: workloads that the rule is true of.
    ``acted``: what was POSTed to the application's hooks.
    """

    delivered: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    troubled: list[str] = field(default_factory=list)
    acted: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving(world: World, *ports: int) -> Iterator[None]:
    """Prometheus, Alertmanager and the application's hooks in one, at each of these loopback ports."""
    servers = [ThreadingHTTPServer(("127.0.0.1", port), _handler(world)) for port in ports]
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            self._answer(_asked(world, url.path, parse_qs(url.query)))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.startswith("/hooks/"):
                world.acted.append(self.path)
            self._answer({})

        def _answer(self, data: object) -> None:
            body = json.dumps(data).encode()
            self.send_response(503 if data is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Not on the terminal."""

    return Handler


def _asked(world: World, path: str, query: dict[str, list[str]]) -> object:
    """None for what is not answered: the list of all alerts, which would be taken in, too."""
    match path:
        case "/api/v2/alerts":
            return None if query.get("filter") == ['remedy=~".+"'] else [_held(each) for each in world.delivered]
        case "/api/v1/rules":
            rule = {"name": query["rule_name[]"][0], "query": _RULE, "labels": {}}
            return {"status": "success", "data": {"groups": [{"rules": [rule]}]}}
        case "/api/v1/query":
            return {"status": "success", "data": {"resultType": "vector", "result": _result(world, query["query"][0])}}
        case _:
            return None


def _held(fingerprint: str) -> dict[str, object]:
    status = {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    times = {"startsAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"}
    return {"fingerprint": fingerprint, "labels": {}, "annotations": {}, "status": status, **times}


def _result(world: World, expression: str) -> list[dict[str, object]]:
    now = time.time()
    if expression == _RULE:
        return [{"metric": {"workload": each}, "value": [now, "1"]} for each in world.troubled]
    if "timestamp(" in expression:  # when it was measured last: just now
        return [{"metric": {}, "value": [now, str(now + 60)]}]
    return []
