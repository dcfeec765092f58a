"""The control socket: who may open it, what it answers, and to what it does not."""

import asyncio
import json
import stat

import aiohttp
import pytest

from guardian.control import control_app, serve_control
from homeostat.errors import NotFound
from homeostat.guardian_client import GuardianClient
from homeostat.platforms import detect


@pytest.fixture
async def guardian(world, running, until, tmp_path):
    """(supervisor, socket path, what /shutdown was asked)"""
    supervisor = running(world.supervisor(memory_limit="64MiB"))
    asked: list[bool] = []

    async def shut_down(keep: bool) -> None:
        asked.append(keep)

    path = tmp_path / "guardian.sock"
    await until(lambda: supervisor.running is not None)
    async with serve_control(control_app({"web": supervisor}, shut_down), path, detect()):
        yield supervisor, path, asked


async def call(path, method: str, url: str, body: bytes | None = None) -> tuple[int, object]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
        session.request(method, f"http://guardian{url}", data=body) as response,
    ):
        return response.status, await response.json()


async def test_only_its_owner_can_open_it(guardian):
    _, path, _ = guardian

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_client_understands_every_process(guardian):
    supervisor, path, _ = guardian

    (status,) = await GuardianClient(path).processes()

    assert (status.name, status.workload, status.state, status.pid) == ("web", "local/web", "running", 101)
    assert (status.exit_code, status.restarts, status.started_at) == (None, 0, supervisor.running.started_at)
    assert (status.memory_limit_bytes, status.stopped_by_request, status.last_check_ok) == (64 * 2**20, False, None)


async def test_the_client_asks_for_one_by_its_name(guardian):
    _, path, _ = guardian
    client = GuardianClient(path)

    assert (await client.process("web")).pid == 101
    assert await call(path, "GET", "/processes?name=web") == await call(path, "GET", "/processes")
    assert await call(path, "GET", "/processes?name=nope") == (200, [])
    for name in ("nope", "", "we", "web&name=", "../processes"):
        with pytest.raises(NotFound, match="has no process"):
            await client.process(name)


async def test_the_client_restarts(guardian):
    supervisor, path, _ = guardian

    await GuardianClient(path).restart("web", 1.5, timeout_s=5)

    assert supervisor.running.id.pid == 102
    with pytest.raises(NotFound, match="no process 'nope'"):
        await GuardianClient(path).restart("nope", None, timeout_s=5)


async def test_orders_answer_with_what_it_is_then(guardian):
    _, path, _ = guardian

    seen = [await call(path, "POST", f"/processes/web/{order}") for order in ("stop", "start", "restart")]

    assert [(code, row["state"], row["pid"], row["stopped_by_request"]) for code, row in seen] == [
        (200, "stopped", 0, True),
        (200, "running", 102, False),
        (200, "running", 103, False),
    ]


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"grace": -1}', b'{"grace": "1s"}', b'{"grace": true}', b'{"grace": 1e999}', b'{"grase": 1}'],
)
async def test_a_wrong_body_is_refused_and_nothing_done(guardian, body):
    supervisor, path, _ = guardian

    code, answer = await call(path, "POST", "/processes/web/restart", body)

    assert (code, list(answer), supervisor.running.id.pid) == (400, ["error"], 101)


@pytest.mark.parametrize(
    ("method", "url", "code"),
    [
        ("POST", "/processes/nope/restart", 404),
        ("POST", "/processes/web/kill", 404),
        ("GET", "/processes/web/restart", 405),
        ("POST", "/shutdown?keep=maybe", 400),
        ("GET", "/shutdown", 405),
    ],
)
async def test_errors_are_json(guardian, method, url, code):
    _, path, asked = guardian

    status, answer = await call(path, method, url)
    assert (status, list(answer), asked) == (code, ["error"], [])


@pytest.mark.parametrize(("query", "keep"), [("", False), ("?keep=false", False), ("?keep=true", True)])
async def test_shutdown_says_whether_processes_go_on(guardian, query, keep):
    _, path, asked = guardian

    answer = await call(path, "POST", f"/shutdown{query}")

    assert (answer, asked) == ((200, {"kept": keep}), [keep])


async def test_a_socket_left_by_a_killed_guardian_is_taken_over(tmp_path):
    path = tmp_path / "guardian.sock"
    left = await asyncio.start_unix_server(lambda *_: None, str(path))
    left.close()
    path.touch()

    async with serve_control(control_app({}, None), path, detect()):
        assert await call(path, "GET", "/processes") == (200, [])
    assert not path.exists()


async def test_a_body_larger_than_any_order_is_refused(guardian):
    _, path, _ = guardian

    code, answer = await call(path, "POST", "/processes/web/restart", json.dumps({"grace": "x" * 5000}).encode())

    assert (code, list(answer)) == (413, ["error"])
