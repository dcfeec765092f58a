"""The engine's client against engines that lie, break off or are old: every call ends in a value or our own error."""

import json
import time
from pathlib import Path

import pytest
from fakes.daemon import FakeDaemon

from homeostat.containers import DockerEngine
from homeostat.errors import HomeostatError, NotFound, NotSupported, Permanent, Unreachable

DATA = Path(__file__).parents[2] / "data" / "docker"


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


async def test_the_list_is_one_call_whatever_the_number(client, daemon):
    for number in range(50):
        daemon.add(number)
    rows = await client.rows()

    assert len(rows) == 50
    assert len([path for path in daemon.paths if "containers" in path]) == 1


async def test_one_sample_is_asked_for_and_understood(client, daemon):
    container_id = daemon.add()
    daemon.stats[container_id] = json.loads((DATA / "stats-v2.json").read_text())
    found = await client.stats(container_id, 5.0)

    assert (found.cpu_seconds, found.memory_usage) == (0.048554, 17039360)


async def test_an_engine_that_would_take_two_samples_is_not_asked(client, daemon):
    container_id = daemon.add()
    daemon.lies = [("/version", {"Version": "19.3", "ApiVersion": "1.40", "MinAPIVersion": "1.12"})]

    with pytest.raises(NotSupported, match="older than"):
        await client.stats(container_id, 5.0)
    assert not [path for path in daemon.paths if "stats" in path]


async def test_stats_of_what_is_gone_are_not_found(client):
    with pytest.raises(NotFound):
        await client.stats("f" * 64, 5.0)


async def test_stats_have_a_deadline(client, daemon):
    container_id = daemon.add()
    await client.version()
    daemon.delay_s = 30
    start = time.monotonic()

    with pytest.raises(Unreachable):
        await client.stats(container_id, 0.2)
    assert time.monotonic() - start < 1


GARBAGE = [b"", b"{", b"<html>busy</html>", b"\xff\xfe\x00", b"null", b"7", b'"x"', b"[]", b"{}", b"[" * 100_000]


@pytest.mark.parametrize("lie", GARBAGE, ids=lambda lie: repr(lie[:9]))
@pytest.mark.parametrize("asked", ["inspect", "stats", "rows", "version"])
async def test_garbage_is_our_own_error(client, daemon, asked, lie):
    container_id = daemon.add()
    await client.rows()
    daemon.lies = [("/containers/" if asked != "version" else "version", lie)]
    calls = {
        "inspect": lambda: client.inspect(container_id),
        "stats": lambda: client.stats(container_id, 5.0),
        "rows": client.rows,
        "version": client.version,
    }
    if (asked, lie) in (("rows", b"[]"), ("stats", b"{}")):  # nothing is there, nothing is told
        await calls[asked]()
        return

    with pytest.raises(HomeostatError):
        await calls[asked]()


@pytest.mark.parametrize("version", [{}, [], {"ApiVersion": None}, {"ApiVersion": "x.y"}, {"ApiVersion": 7}])
async def test_an_engine_of_no_version_is_our_own_error(client, daemon, version):
    daemon.lies = [("/version", version)]

    with pytest.raises(HomeostatError):
        await client.rows()


@pytest.mark.parametrize("asked", ["inspect", "rows"])
async def test_an_answer_that_breaks_off_is_no_answer(client, daemon, asked):
    container_id = daemon.add()
    await client.version()
    daemon.cuts = "/containers/"

    with pytest.raises(Unreachable):
        await (client.inspect(container_id) if asked == "inspect" else client.rows())
    daemon.cuts = "nothing"
    assert (await client.inspect(container_id)).id == container_id


async def test_an_answer_about_another_container_is_refused(client, daemon):
    first, second = daemon.add(1), daemon.add(2)
    daemon.containers[first] = daemon.containers[second]

    with pytest.raises(Permanent, match="it is about"):
        await client.inspect(first)


@pytest.mark.parametrize("asked", ["shop-web-1", "/shop-web-1", f"{1:064x}"[:60]])
async def test_a_container_can_be_asked_for_by_name_and_by_a_part_of_its_id(client, daemon, asked):
    container_id = daemon.add(1)
    daemon.containers[asked.lstrip("/")] = daemon.containers[container_id]

    assert (await client.inspect(asked.lstrip("/"))).id == container_id


async def test_containers_in_each_others_networks_end(client, daemon):
    first, second = daemon.add(1), daemon.add(2)
    for one, other in ((first, second), (second, first)):
        daemon.containers[one]["HostConfig"]["NetworkMode"] = f"container:{other}"

    assert (await client.inspect(first)).id == first
    assert len([path for path in daemon.paths if "containers" in path]) < 6


async def test_events_that_cannot_be_read_are_passed_over(client, daemon):
    good = b'{"Action": "die", "Actor": {"ID": "a"}, "timeNano": 7000000000}'
    daemon.lies = [("/events", b"\n".join([b"{", b"[]", b"7", b"[" * 100_000, good, b""]))]

    assert [(event.action, event.at) async for event in client.events(0)] == [("die", 7.0)]
