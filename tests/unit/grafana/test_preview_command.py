"""``python -m grafana preview`` against a real Prometheus, and against what is none."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from boards import ROOT

from grafana.dashboards import DASHBOARDS
from grafana.lib import Dashboard, Panel, Query, Stat, Unit
from grafana.preview.answers import Source
from grafana.preview.filling import Window
from homeostat.errors import Permanent, Unreachable

BOARD = Dashboard("u", "t", "d", (Panel("t", "d.", Unit.COUNT, Stat(Query("up"), "none")),))
WINDOW = Window(0, 3600)


def preview(*arguments, python=("-m", "grafana")):
    """The exit code and all that was printed."""
    command = [sys.executable, *python, "preview", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env=os.environ.copy(), check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def prometheus(servers, tmp_path_factory) -> Iterator[str]:
    """One that scrapes itself under the job that the dashboards know."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{sock.getsockname()[1]}"
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 250ms, scrape_timeout: 250ms}\n"
        f"scrape_configs: [{{job_name: prometheus, static_configs: [{{targets: ['{address}']}}]}}]\n"
    )
    command = [
        servers["prometheus"],
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if b'"1"' in asked(f"http://{address}/api/v1/query?query=up"):
                break
            time.sleep(0.1)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait(5)


def asked(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.read()
    except OSError:
        return b""


@pytest.mark.servers
def test_every_dashboard_is_drawn(prometheus, tmp_path):
    code, said = preview("--prometheus", prometheus, "--out", tmp_path / "new", "--hours", "0.1")

    assert code == 0, said
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == sorted(f"{b.uid}.png" for b in DASHBOARDS)
    assert said.splitlines() == [str(tmp_path / "new" / f"{board.uid}.png") for board in DASHBOARDS]


@pytest.mark.servers
def test_one_dashboard_is_drawn_when_one_is_named(prometheus, tmp_path):
    code, said = preview("--prometheus", prometheus, "--out", tmp_path, "--dashboard", "homeostat-itself")

    assert code == 0, said
    assert [file.name for file in tmp_path.iterdir()] == ["homeostat-itself.png"]


@pytest.mark.servers
async def test_answers_are_those_of_the_server(prometheus):
    now = time.time()
    board = next(board for board in DASHBOARDS if board.uid == "homeostat-itself")
    async with aiohttp.ClientSession() as session:
        answers = await Source(prometheus, session).answers(board, Window(now - 60, now))

    counts = {p.title: [len(a.series) for a in found] for p, found in zip(board.panels, answers.panels, strict=True)}
    assert counts["Parts that do not answer"] == [1]
    assert counts["Parts"] == [1]
    assert counts["Collectors"] == [0]


def test_nobody_there_is_said(tmp_path, free_port):
    code, said = preview("--prometheus", f"http://127.0.0.1:{free_port()}", "--out", tmp_path)

    assert code == 1
    assert said.startswith("Prometheus at http://127.0.0.1:")
    assert "does not answer" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_dashboard_that_is_not_there_is_refused_and_those_that_are_there_are_named(tmp_path):
    code, said = preview("--prometheus", "http://127.0.0.1:1", "--out", tmp_path, "--dashboard", "nonsense")

    assert code == 2
    assert "homeostat-overview" in said


def test_without_matplotlib_it_is_said_what_to_install(tmp_path):
    without = "import sys; sys.modules['matplotlib'] = None; from grafana.__main__ import main; main()"

    code, said = preview("--prometheus", "http://127.0.0.1:1", "--out", tmp_path, python=("-c", without))
    assert code == 1
    assert said == "the preview needs matplotlib: pip install 'homeostat[dashboards]'\n"


def test_without_grafanalib_and_matplotlib_the_rest_can_be_imported():
    without = "import sys; sys.modules['matplotlib'] = sys.modules['grafanalib'] = None; import grafana.__main__"
    done = subprocess.run([sys.executable, "-c", without], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, '{"status":"error","error":"parse error"}', Permanent, "refused 'up': parse error"),
        (503, "Service Unavailable", Unreachable, "cannot answer now: status 503"),
        (200, "<html>", Unreachable, "does not answer"),
        (200, "[]", Permanent, "refused 'up': 200"),
    ],
)
async def test_what_is_no_answer_is_an_error_that_names_the_server(status, body, error, said):
    async def answer(_request):
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_get("/api/v1/query", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("")).rstrip("/")
        with pytest.raises(error, match=said) as raised:
            await Source(url, session).answers(BOARD, WINDOW)

    assert f"Prometheus at {url} " in str(raised.value)
