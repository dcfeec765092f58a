"""The whole live page of a running exporter: valid in both formats, and all of it declared and documented."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fakes.pages import DECLARED, lint, problems, series

from chaos.harness import free_ports

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
#: What a Linux machine tells wherever it runs, one of each collector that needs no engine.
EXPECTED = (
    "homeostat_workload_health",
    "homeostat_probe_duration_seconds",
    "homeostat_host_cpu_seconds_total",
    "homeostat_host_memory_available_bytes",
    "homeostat_build_info",
)


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def target() -> Iterator[int]:
    """The port of a server that is well."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, target: int) -> Iterator[str]:
    """/metrics of a running exporter with a probe that is good, one that is bad, groups and nasty names."""
    folder = tmp_path_factory.mktemp("page")
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    (folder / "homeostat.yml").write_text(
        f"""
exporter:
  listen: {listen}
  process_groups: {{tests: {{command: pytest}}, none: {{names: [no-such-program]}}}}
docker: {{enabled: false}}
workloads:
  shop/web:
    enable: true
    probes:
      - {{http: 'http://127.0.0.1:{target}/a"b', interval: 200ms}}
      - {{tcp: '127.0.0.1:1', interval: 200ms, role: readiness, name: 'back\\\\slash'}}
"""
    )
    argv = [sys.executable, "-m", "exporters", "--settings", str(folder / "homeostat.yml")]
    process = subprocess.Popen(argv, env=os.environ, stderr=subprocess.DEVNULL)
    address = f"http://{listen}/metrics"
    try:
        deadline = time.monotonic() + 20
        while "homeostat_probe_success{" not in page(address):
            assert time.monotonic() < deadline, "no probe was told of within 20 s"
            time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def page(url: str, headers: dict[str, str] | None = None) -> str:
    """Empty while nobody listens yet."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=10) as response:
            return response.read().decode()
    except urllib.error.URLError:
        return ""


def test_nothing_stands_on_it_that_is_not_declared_and_documented(url):
    assert problems(page(url)) == []


def test_what_every_machine_tells_is_there(url):
    names = {name.removesuffix("_bucket") for name, _ in series(page(url), is_openmetrics=False)}

    assert [name for name in EXPECTED if name not in names] == []


def test_promtool_finds_nothing_wrong(url, servers):
    assert lint(page(url), servers["promtool"]) == ""


def test_both_formats_tell_of_the_same_series(url):
    text = series(page(url), is_openmetrics=False)
    openmetrics = series(page(url, OPENMETRICS), is_openmetrics=True)

    assert text == openmetrics


def test_the_check_itself_sees_what_is_not_declared():
    name = next(iter(DECLARED))
    stray = f'# TYPE {name} gauge\n{name}{{id="7"}} 1\n# TYPE homeostat_stray gauge\nhomeostat_stray 1\n'

    assert problems(stray) == [f"{name}: label id is not declared", "homeostat_stray: not declared"]
