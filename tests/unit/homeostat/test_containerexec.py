"""What a program in a container says, out of the engine's frames, and what pid 1 is in one."""

import asyncio
import threading

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from homeostat.containerexec import TAIL_BYTES, ExecResult, Tail, has_own_pids
from homeostat.containers import DockerEngine
from homeostat.engineimages import PrunedImages, pruned_images
from homeostat.errors import Permanent


def frame(payload, stream=1):
    return bytes((stream, 0, 0, 0)) + len(payload).to_bytes(4, "big") + payload


def tail_of(data, size):
    tail = Tail()
    tail.take_all(data[start : start + size] for start in range(0, len(data), size))
    return tail.text()


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 30))
def test_frames_are_put_together_wherever_they_are_cut(payloads, size):
    data = b"".join(frame(payload, 1 + nth % 2) for nth, payload in enumerate(payloads))

    assert tail_of(data, size) == b"".join(payloads).decode(errors="replace")


def test_only_the_end_is_kept():
    line = b"x" * 1000
    tail = Tail()

    for _ in range(1000):
        tail.take(frame(line))
    tail.take(frame(b"the end"))

    assert len(tail.text()) == TAIL_BYTES
    assert tail.text().endswith("xthe end")
    assert len(tail._kept) <= 2 * TAIL_BYTES


def test_a_frame_that_never_ends_is_not_waited_for_in_memory():
    tail = Tail()

    tail.take(b"\1\0\0\0\xff\xff\xff\xff")
    for _ in range(1000):
        tail.take(b"x" * 1000)

    assert len(tail._kept) <= 2 * TAIL_BYTES


@pytest.mark.parametrize(
    ("mode", "expected"), [("", True), ("private", True), ("host", False), ("container:abc", False), (None, True)]
)
def test_pid_1_is_its_own_unless_the_namespace_is_anothers(mode, expected):
    assert has_own_pids({"Id": "a", "HostConfig": {"PidMode": mode}}) is expected


def test_images_that_only_lost_a_name_are_not_counted():
    raw = {"ImagesDeleted": [{"Untagged": "a@sha256:1"}, {"Deleted": "sha256:2"}, {"Deleted": "sha256:3"}]}

    assert pruned_images({**raw, "SpaceReclaimed": 7}) == PrunedImages(2, 7)
    assert pruned_images({"ImagesDeleted": None, "SpaceReclaimed": 0}) == PrunedImages(0, 0)
    assert pruned_images({"ImagesDeleted": ["x", {}]}) == PrunedImages(0, 0)


class Daemon:
    """Speaks the engine's exec: says ``frames``, is silent until ``over``; ``state``: what it tells of the exec."""

    def __init__(self, *frames, answer=None):
        self.frames = frames
        self.answer = {"Id": "e1"} if answer is None else answer
        self.over = asyncio.Event()
        self.state = {"Running": True, "ExitCode": None, "Pid": 4711}
        self.created = None
        self.left = asyncio.Event()

    async def serve(self, path):
        app = web.Application()
        app.add_routes(
            [
                web.get("/version", self._version),
                web.post("/v{v}/containers/{id}/exec", self._create),
                web.post("/v{v}/exec/{id}/start", self._start),
                web.get("/v{v}/exec/{id}/json", self._json),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.UnixSite(runner, str(path)).start()
        return runner

    async def _version(self, _request):
        return web.json_response({"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24"})

    async def _create(self, request):
        self.created = await request.json()
        return web.json_response(self.answer, status=201)

    async def _start(self, request):
        response = web.StreamResponse(headers={"Connection": "close"})
        await response.prepare(request)
        try:
            for each in self.frames:
                await response.write(each)
            await self.over.wait()
        finally:
            self.left.set()
        return response

    async def _json(self, _request):
        return web.json_response(self.state)


@pytest.fixture
async def serve(tmp_path):
    runners, clients = [], []

    async def start(daemon):
        runners.append(await daemon.serve(tmp_path / "docker.sock"))
        clients.append(DockerEngine(f"unix://{tmp_path}/docker.sock"))
        return clients[-1]

    yield start
    for client in clients:
        await client.close()
    for runner in runners:
        await runner.cleanup()


async def test_what_is_not_over_in_time_is_told_with_its_pid_and_let_go(serve):
    daemon = Daemon(frame(b"working"))
    engine = await serve(daemon)

    result = await engine.exec("c1", ["flush", "a b"], 0.5, {"MODE": "all"})

    assert result == ExecResult(None, "working", 4711)
    assert (daemon.created["Cmd"], daemon.created["Env"]) == (["flush", "a b"], ["MODE=all"])
    async with asyncio.timeout(2):
        await daemon.left.wait()  # its connection is closed


async def test_an_end_that_the_engine_tells_late_is_waited_for(serve):
    daemon = Daemon(frame(b"done"))
    engine = await serve(daemon)
    daemon.over.set()
    running = asyncio.create_task(engine.exec("c1", ["flush"], 5.0, {}))
    await asyncio.sleep(0.3)
    assert not running.done()

    daemon.state = {"Running": False, "ExitCode": 3, "Pid": 4711}

    assert await running == ExecResult(3, "done", 4711)


async def test_who_gives_up_leaves_no_thread_behind(serve):
    daemon = Daemon(frame(b"working"))
    engine = await serve(daemon)
    running = asyncio.create_task(engine.exec("c1", ["flush"], 60.0, {}))
    await asyncio.sleep(0.3)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    async with asyncio.timeout(2):
        await daemon.left.wait()
        while any(thread.name == "homeostat-call" for thread in threading.enumerate()):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("answer", [{}, [], {"Id": 5}])
async def test_an_answer_that_cannot_be_read_is_an_error(serve, answer):
    engine = await serve(Daemon(answer=answer))

    with pytest.raises(Permanent, match="the Docker Engine's answer cannot be read"):
        await engine.exec("c1", ["flush"], 1.0, {})
