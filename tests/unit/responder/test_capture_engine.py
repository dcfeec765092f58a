"""What the engine tells an examination: its wire, its logs in frames, and an engine that lies."""

import asyncio
import contextlib
import itertools
import json
import threading
from pathlib import Path

import pytest
from fakes.daemon import FakeDaemon
from hypothesis import given
from hypothesis import strategies as st

from homeostat import enginejson
from homeostat.containerinfo import ContainerProcess, HealthCheck
from homeostat.containers import DockerEngine
from homeostat.enginelogs import from_line_start, newest_lines
from homeostat.errors import HomeostatError, NotFound, Permanent, Unreachable

DATA = Path(__file__).parents[2] / "data" / "docker"
INSPECT = json.loads((DATA / "inspect.json").read_text())
TOP = {
    "Titles": ["PID", "STAT", "RSS", "NLWP", "WCHAN", "COMMAND"],
    "Processes": [["3550", "Ss", "1808", "1", "do_wait", "sh"], ["3577", "Dl+", "2048", "7", "-", "python 3"]],
}


def frame(payload, stream=1):
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


@pytest.fixture
async def daemon(tmp_path):
    daemon = FakeDaemon()
    daemon.url = await daemon.start(tmp_path / "docker.sock")
    yield daemon
    await daemon.stop()


@pytest.fixture
async def client(daemon):
    client = DockerEngine(daemon.url)
    yield client
    await client.close()


def test_an_inspect_answer_tells_checks_image_and_environment():
    raw = json.loads(json.dumps(INSPECT))
    raw["State"] |= {"Error": "no such program"}
    raw["State"]["Health"]["Log"] = [
        {"Start": "2026-11-23T11:49:52Z", "End": "2026-11-23T11:49:53Z", "ExitCode": 7, "Output": "bad\n"},
        "nonsense",
        {},
    ]
    raw["Config"]["Env"] = ["A=1=2", "B=", "C", 7]
    details = enginejson.details(raw)

    assert details.container == enginejson.container(raw)
    assert (details.error, details.image_id) == ("no such program", raw["Image"])
    assert details.health_log == (HealthCheck(1795434593.0, 7, "bad\n"), HealthCheck(None, 0, ""))
    assert details.environment == {"A": "1=2", "B": "", "C": ""}
    assert "1=2" not in repr(details)


def test_podmans_inspect_has_no_checks_and_is_understood():
    details = enginejson.details(json.loads((DATA / "inspect-podman.json").read_text()))

    assert (details.health_log, details.environment) == ((), {})


def test_processes_are_read_by_their_titles():
    assert enginejson.processes(TOP) == (
        ContainerProcess(3550, "sh", "S", 1808 * 1024, 1, "do_wait"),
        ContainerProcess(3577, "python 3", "D", 2048 * 1024, 7, ""),
    )


def test_processes_of_an_engine_with_other_columns_are_read_as_far_as_they_go():
    raw = {"Titles": ["UID", "PID", "CMD"], "Processes": [["root", "7", "sh"], ["root"], None, ["root", "x", "sh"]]}

    assert enginejson.processes(raw) == (ContainerProcess(7, "sh", "", 0, 0, ""),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(titles=JSON, processes=JSON, log=JSON, env=JSON, digests=JSON)
def test_whatever_an_engine_tells_it_is_understood_or_a_value_error(titles, processes, log, env, digests):
    raw = INSPECT | {"State": INSPECT["State"] | {"Health": {"Log": log}}, "Config": {"Env": env}}

    assert enginejson.details(raw).container.id == INSPECT["Id"]
    assert isinstance(enginejson.image_digests({"RepoDigests": digests}), tuple)
    with contextlib.suppress(ValueError):
        enginejson.processes({"Titles": titles, "Processes": processes})


@given(
    lines=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")))),
    cut_at=st.lists(st.integers(0, 2000), max_size=8),
)
def test_frames_are_taken_apart_wherever_they_are_cut(lines, cut_at):
    stream = b"".join(frame(line + b"\n", number) for number, line in lines)
    places = [0, *sorted(at for at in cut_at if at < len(stream)), len(stream)]
    chunks = [stream[start:end] for start, end in itertools.pairwise(places)]

    assert newest_lines(chunks, 1 << 20) == b"".join(line + b"\n" for _, line in lines)


@given(count=st.integers(0, 60), most=st.integers(1, 400), framed=st.booleans())
def test_of_a_long_log_the_newest_whole_lines_stay(count, most, framed):
    lines = [f"2026-11-24 line {number}\n".encode() for number in range(count)]
    chunks = [frame(line) if framed else line for line in lines]
    kept = newest_lines(chunks, most)

    assert len(kept) <= most
    assert b"".join(lines).endswith(kept)
    assert kept == b"" or kept.splitlines(keepends=True)[0] in lines
    if most >= 40 and lines:
        assert kept.endswith(lines[-1])


def test_of_a_line_in_pieces_the_first_stays():
    pieces = [
        frame(b"1 " + b"x" * 16384),
        frame(b"err\n", 2),
        frame(b"1 " + b"y" * 9),
        frame(b"1 z\n"),
        frame(b"2 end\n"),
    ]
    kept = newest_lines(pieces, 1 << 20)

    assert kept == b"1 " + b"x" * 16384 + b" [the rest of this line was cut]\nerr\n2 end\n"


@pytest.mark.parametrize(
    ("tail", "is_cut", "kept"),
    [
        (b"ab\ncd\n", False, b"ab\ncd\n"),
        (b"ab\ncd\n", True, b"cd\n"),
        (b"xx\nab\ncd\n", False, b"ab\ncd\n"),  # the place before is a line's end
        (b"xxab\ncd\n", False, b"cd\n"),
        (b"x" * 20, False, b""),
    ],
)
def test_the_rest_of_a_line_is_not_kept_without_its_beginning(tail, is_cut, kept):
    assert from_line_start(tail, 6, is_cut=is_cut) == kept


@pytest.mark.parametrize(
    "stream", [frame(b"a\n") + b"\7\7\7\7\7\7\7\7", frame(b"a\n") + b"\1\0\0\0\xff\xff\xff\xff" + b"x" * 9]
)
def test_broken_frames_are_a_value_error(stream):
    with pytest.raises(ValueError, match="log"):
        newest_lines([stream], 100)


async def test_logs_are_asked_for_with_their_times_and_only_the_newest(client, daemon):
    daemon.lies = [("/logs", frame(b"2026 out\n") + frame(b"2026 err \xff\n", 2))]

    assert await client.logs("a" * 64, 5, 1000, 5.0) == "2026 out\n2026 err \ufffd\n"


async def test_a_terminals_log_has_no_frames(client, daemon):
    daemon.lies = [("/logs", b"2026-11-24T06:35:23Z one\r\n2026-11-24T06:35:23Z two\r\n")]

    assert (await client.logs("a" * 64, 5, 1000, 5.0)).count("\n") == 2


async def test_processes_and_digests_come_over_the_wire(client, daemon):
    daemon.lies = [("/top", TOP), ("/images/", {"RepoDigests": ["shop@sha256:abc"]})]

    assert [each.pid for each in await client.top("a" * 64, 5.0)] == [3550, 3577]
    assert await client.image_digests("sha256:abc", 5.0) == ("shop@sha256:abc",)


async def test_details_of_what_is_gone_are_not_found(client):
    with pytest.raises(NotFound):
        await client.details("f" * 64, 5.0)


@pytest.mark.parametrize(
    "lie", [b"", b"{", b"\xff\xfe\x00", b"null", b"7", b"[" * 100_000, b"\1\0\0\0\xff\xff\xff\xff"]
)
async def test_garbage_is_our_own_error(client, daemon, lie):
    await client.version()
    daemon.lies = [("/top", lie), ("/images/", lie), ("/json", lie), ("/logs", b"\1\0\0\0\xff\xff\xff\xff" + lie)]

    with pytest.raises(HomeostatError):
        await client.top("a" * 64, 5.0)
    with pytest.raises(HomeostatError):
        await client.image_digests("a", 5.0)
    with pytest.raises(HomeostatError):
        await client.details("a" * 64, 5.0)
    with pytest.raises(Permanent):
        await client.logs("a" * 64, 5, 100, 5.0)


async def test_an_examination_has_a_deadline(client, daemon):
    container_id = daemon.add()
    await client.version()
    daemon.delay_s = 30

    for call in (client.details, client.top):
        with pytest.raises(Unreachable):
            await call(container_id, 0.1)
    with pytest.raises(Unreachable):
        await client.logs(container_id, 5, 100, 0.1)


async def test_a_log_that_comes_a_byte_at_a_time_holds_no_thread(tmp_path):
    handlers = []

    async def drip(reader, writer):
        handlers.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                if b"/version" in request:
                    body = b'{"Version": "26.1.5", "ApiVersion": "1.45"}'
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                    continue
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                while True:
                    writer.write(b"1\r\nx\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_unix_server(drip, tmp_path / "docker.sock")
    client = DockerEngine(f"unix://{tmp_path}/docker.sock")
    try:
        await client.version()
        with pytest.raises(Unreachable):
            await client.logs("a" * 64, 5, 100, 0.2)
        await asyncio.sleep(0.3)

        assert "homeostat-call" not in {thread.name for thread in threading.enumerate()}
    finally:
        await client.close()
        server.close()
        await asyncio.gather(*handlers)
