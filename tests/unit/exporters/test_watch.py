"""The watcher against an engine that drops events, hangs and goes away."""

import asyncio
import collections
import contextlib

import pytest
from structlog.testing import capture_logs

from exporters.watch import ABSENT_POLL_S, POLL_S, STALE_S, Watcher
from homeostat.errors import Permanent, Unreachable


class Proc:
    """A /proc with only what the watcher reads."""

    def __init__(self, root):
        self.root = root

    def start(self, container, pid=4711, at=100, state="S"):
        (self.root / str(pid)).mkdir(exist_ok=True)
        (self.root / str(pid) / "cgroup").write_text(f"0::/docker/{container.id}\n")
        rest = " ".join(["0"] * 18)
        (self.root / str(pid) / "stat").write_text(f"{pid} (a (b) c) {state} {rest} {at} 0 0\n")

    def end(self, pid):
        (self.root / str(pid) / "stat").unlink()


@pytest.fixture
def proc(tmp_path):
    root = tmp_path / "proc"
    root.mkdir()
    return Proc(root)


@pytest.fixture
async def watch(docker, clock, proc):
    """A function that starts a watcher."""
    async with contextlib.AsyncExitStack() as stack:

        async def watch(*, required=True):
            watcher = Watcher(docker, clock, required=required, proc=proc.root)
            task = asyncio.create_task(watcher.run())

            async def end():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

            stack.push_async_callback(end)
            await clock.settle()
            return watcher

        yield watch


def sizes(watcher):
    """Every collection that it keeps and that holds anything."""
    kept = vars(watcher) | vars(watcher._roster) | vars(watcher._lives)
    return {name: len(value) for name, value in kept.items() if isinstance(value, (dict, set, list, tuple)) and value}


def warnings(logs):
    return [entry["event"] for entry in logs if entry["log_level"] == "warning"]


def states(seen):
    return {each.container.name: (each.container.status, each.is_running) for each in seen}


async def test_all_containers_are_there_after_the_start(watch, docker, make):
    docker.put(make("shop-web-1"))
    docker.put(make("shop-db-1", status="exited", pid=0))
    watcher = await watch()

    assert states(await watcher.look()) == {"shop-db-1": ("exited", False), "shop-web-1": ("running", True)}


async def test_an_event_makes_it_quick(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.change(web, status="paused")
    docker.tell(web, "pause", clock.now())
    await clock.settle()

    assert states(await watcher.look()) == {"shop-web-1": ("paused", True)}


async def test_a_new_container_is_seen_by_its_event(watch, docker, clock, make):
    watcher = await watch()
    docker.tell(docker.put(make()), "start", clock.now())
    await clock.settle()

    assert [container.name for container in watcher.containers] == ["shop-web-1"]


async def test_a_dropped_event_is_made_good_by_the_poll(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.is_deaf = True
    docker.change(web, status="paused")
    docker.tell(web, "pause", clock.now())
    await clock.settle()
    assert states(await watcher.look()) == {"shop-web-1": ("running", True)}
    await clock.advance(POLL_S)

    assert states(await watcher.look()) == {"shop-web-1": ("paused", True)}


async def test_a_removed_container_goes_at_once_and_stays_away(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.remove(web)
    docker.tell(web, "destroy", clock.now())
    await clock.settle()
    assert watcher.containers == ()
    await clock.advance(3 * POLL_S)

    assert watcher.containers == ()


async def test_a_removal_without_a_word_is_seen_by_the_poll(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.remove(web)
    await clock.advance(POLL_S)

    assert watcher.containers == ()


async def test_errands_of_compose_run_are_not_watched(watch, docker, clock, make):
    watcher = await watch()
    docker.tell(docker.put(make(labels={"com.docker.compose.oneoff": "True"})), "start", clock.now())
    await clock.settle()
    assert watcher.containers == ()
    await clock.advance(POLL_S)

    assert watcher.containers == ()


async def test_the_list_is_the_same_object_while_nothing_changes(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    before = watcher.containers
    await clock.advance(5 * POLL_S)
    assert watcher.containers is before
    docker.change(web, restart_count=1)
    await clock.advance(POLL_S)

    assert watcher.containers is not before


async def test_an_older_answer_never_replaces_a_newer_one(watch, docker, clock, make, monkeypatch):
    web = docker.put(make())
    watcher = await watch()
    answer, real = asyncio.Event(), docker.inspect

    async def slow_once(container_id):
        found = await real(container_id)
        monkeypatch.setattr(docker, "inspect", real)
        await answer.wait()
        return found

    monkeypatch.setattr(docker, "inspect", slow_once)
    await clock.advance(POLL_S)  # a poll has read "running" and is under way
    docker.change(web, status="exited", pid=0)
    docker.tell(web, "die", clock.now())
    await clock.settle()
    answer.set()
    await clock.settle()

    assert states(await watcher.look()) == {"shop-web-1": ("exited", False)}


async def test_what_was_made_while_the_engine_listed_is_not_taken_for_removed(watch, docker, clock, make, monkeypatch):
    watcher = await watch()
    answer, real = asyncio.Event(), docker.rows

    async def slow():
        found = await real()
        await answer.wait()
        return found

    monkeypatch.setattr(docker, "rows", slow)
    await clock.advance(POLL_S)  # a poll has read that there is nothing
    docker.tell(docker.put(make()), "start", clock.now())
    await clock.settle()
    answer.set()
    await clock.settle()

    assert states(await watcher.look()) == {"shop-web-1": ("running", True)}


async def test_a_storm_of_events_of_one_container_inspects_it_one_at_a_time(watch, docker, clock, make):
    web = docker.put(make())
    await watch()
    docker.inspects.clear()
    docker.hangs.add(web.id)
    for _ in range(20):
        docker.tell(web, "health_status: healthy", clock.now())
        await clock.settle()

    assert docker.inspects == [web.id]


async def test_a_crash_whose_event_was_dropped_is_seen_at_the_next_scrape(watch, docker, proc, make):
    web = docker.put(make(pid=4711))
    proc.start(web, 4711)
    watcher = await watch()
    await watcher.look()
    docker.is_deaf = True
    proc.end(4711)
    docker.change(web, status="exited", pid=0, exit_code=139, finished_at=1_800_000_000.0)
    (seen,) = await watcher.look()

    assert (seen.is_running, seen.container.exit_code, seen.stopped_by_request) == (False, 139, None)


async def test_a_crash_whose_event_is_on_its_way_is_told_with_its_reason(watch, docker, proc, clock, make):
    web = docker.put(make(pid=4711))
    proc.start(web, 4711)
    watcher = await watch()
    await watcher.look()
    proc.end(4711)
    docker.change(web, status="exited", pid=0, exit_code=1, finished_at=clock.now())
    looking = asyncio.create_task(watcher.look())
    await asyncio.sleep(0.05)
    docker.tell(web, "die", clock.now())
    (seen,) = await looking

    assert (seen.is_running, seen.stopped_by_request) == (False, False)


@pytest.mark.parametrize("trouble", ["is_hung", "is_down"])
async def test_a_crash_is_seen_even_when_the_engine_does_not_answer(watch, docker, proc, make, monkeypatch, trouble):
    monkeypatch.setattr("exporters.watch._CONFIRM_S", 0.05)
    web = docker.put(make(pid=4711))
    proc.start(web, 4711)
    watcher = await watch()
    await watcher.look()
    setattr(docker, trouble, True)
    proc.end(4711)
    async with asyncio.timeout(1):
        (seen,) = await watcher.look()

    assert (seen.container.status, seen.is_running) == ("running", False)


async def test_a_pid_used_again_by_another_process_is_a_crash(watch, docker, proc, make):
    web = docker.put(make(pid=4711))
    proc.start(web, 4711, at=100)
    watcher = await watch()
    await watcher.look()
    proc.start(web, 4711, at=999)
    docker.change(web, status="exited", pid=0)

    assert states(await watcher.look()) == {"shop-web-1": ("exited", False)}


async def test_a_zombie_is_gone(watch, docker, proc, make):
    web = docker.put(make(pid=4711))
    proc.start(web, 4711)
    watcher = await watch()
    await watcher.look()
    proc.start(web, 4711, state="Z")

    assert states(await watcher.look()) == {"shop-web-1": ("running", False)}


async def test_without_the_hosts_processes_nothing_is_missed(watch, docker, make):
    docker.put(make(pid=4711))
    watcher = await watch()
    asked = len(docker.inspects)
    for _ in range(3):
        assert states(await watcher.look()) == {"shop-web-1": ("running", True)}

    assert len(docker.inspects) == asked


async def test_a_restart_within_a_scrape_interval_is_no_crash(watch, docker, proc, clock, make):
    web = docker.put(make(pid=4711))
    proc.start(web, 4711)
    watcher = await watch()
    await watcher.look()
    proc.end(4711)
    proc.start(web, 4800)
    docker.change(web, pid=4800, restart_count=1)

    assert states(await watcher.look()) == {"shop-web-1": ("running", True)}


async def stop(docker, clock, web):
    """As `docker stop` is told."""
    docker.tell(web, "kill", clock.now(), "15")
    docker.change(web, status="exited", pid=0, finished_at=clock.now() + 0.1)
    docker.tell(web, "stop", clock.now() + 0.2)
    docker.tell(web, "die", clock.now() + 0.2)
    await clock.settle()


async def crash(docker, clock, web):
    docker.change(web, status="exited", pid=0, exit_code=1, finished_at=clock.now())
    docker.tell(web, "die", clock.now() + 0.05)
    await clock.settle()


async def test_a_stop_by_request_is_no_crash(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    await stop(docker, clock, web)
    await clock.advance(600 - STALE_S)
    (seen,) = await watcher.look()

    assert (seen.is_running, seen.stopped_by_request) == (False, True)


async def test_a_crash_is_no_stop_by_request(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    await crash(docker, clock, web)
    (seen,) = await watcher.look()

    assert (seen.is_running, seen.stopped_by_request) == (False, False)


async def test_a_crash_after_a_restart_by_request_is_a_crash(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    await stop(docker, clock, web)
    await clock.advance(1)
    docker.change(web, status="running", pid=4800, started_at=clock.now())
    docker.tell(web, "start", clock.now())
    docker.tell(web, "restart", clock.now())
    await clock.settle()
    assert not (await watcher.look())[0].stopped_by_request
    await clock.advance(30)
    await crash(docker, clock, web)

    assert not (await watcher.look())[0].stopped_by_request


async def test_an_image_with_its_own_stop_signal_is_understood(watch, docker, clock, make):
    web = docker.put(make(stop_signal="SIGWINCH"))
    watcher = await watch()
    docker.tell(web, "kill", clock.now(), "28")
    await clock.settle()
    docker.change(web, status="exited", pid=0, finished_at=clock.now() + 0.1)
    docker.tell(web, "die", clock.now() + 0.1)
    await clock.settle()

    assert (await watcher.look())[0].stopped_by_request


async def test_a_stop_before_this_process_started_is_still_known(watch, docker, clock, make):
    web = docker.put(make())
    await stop(docker, clock, web)
    await clock.advance(300)
    watcher = await watch()

    assert docker.listened_since == [clock.now() - 300 + 0.1 - 15]
    assert (await watcher.look())[0].stopped_by_request


async def test_a_stop_that_the_engine_has_forgotten_is_neither_stop_nor_crash(watch, docker, clock, make):
    web = docker.put(make())
    await stop(docker, clock, web)
    docker.history.clear()
    watcher = await watch()

    assert (await watcher.look())[0].stopped_by_request is None


async def test_a_stop_whose_events_were_dropped_is_asked_for_once(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.is_deaf = True
    await stop(docker, clock, web)
    await clock.advance(POLL_S)  # seen, but the words may be on their way
    docker.is_deaf = False
    await clock.advance(POLL_S)

    async with asyncio.timeout(3):
        while not (await watcher.look())[0].stopped_by_request:
            await asyncio.sleep(0.05)
    asked = len(docker.listened_since)
    docker.break_streams()
    await clock.advance(1)
    await clock.advance(5 * POLL_S)
    assert len(docker.listened_since) <= asked + 1


async def test_a_broken_stream_is_taken_up_again_where_it_broke(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.tell(web, "pause", clock.now() + 7)
    await clock.settle()
    docker.break_streams()
    await clock.settle()
    docker.is_deaf = True
    await stop(docker, clock, web)
    docker.is_deaf = False
    docker.history[-3:] = [dataclass_at(event, clock.now() + 8) for event in docker.history[-3:]]
    docker.change(web, finished_at=clock.now() + 8)
    await clock.advance(1)

    assert docker.listened_since[-1] == pytest.approx(clock.now() - 1 + 7, abs=0.01, rel=0)
    assert (await watcher.look())[0].stopped_by_request


def dataclass_at(event, at):
    return type(event)(event.container_id, event.action, event.signal, at)


async def test_an_engine_that_goes_away_is_found_again(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.is_down = True
    docker.break_streams()
    await clock.advance(STALE_S - 2 * POLL_S)
    assert states(await watcher.look()) == {"shop-web-1": ("running", True)}
    await clock.advance(3 * POLL_S)
    with pytest.raises(Unreachable, match="has not answered for 50 s"):
        await watcher.look()
    docker.is_down = False
    docker.change(web, status="exited", pid=0)
    await clock.advance(POLL_S)

    assert states(await watcher.look()) == {"shop-web-1": ("exited", False)}
    assert docker.listeners


async def test_an_engine_that_must_be_there_and_is_not_is_a_failure(watch, docker):
    docker.is_down = True
    watcher = await watch(required=True)

    assert watcher.is_wanted
    with pytest.raises(Unreachable, match="has answered yet"):
        await watcher.look()


async def test_an_engine_that_may_be_absent_is_looked_for_again(watch, docker, clock, make):
    docker.is_down = True
    watcher = await watch(required=False)
    await clock.advance(ABSENT_POLL_S - 1)
    assert (watcher.is_wanted, docker.lists) == (False, 1)
    docker.is_down = False
    docker.put(make())
    await clock.advance(1)

    assert watcher.is_wanted
    assert states(await watcher.look()) == {"shop-web-1": ("running", True)}


async def test_oom_kills_are_counted_over_restarts(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    for second in range(3):
        docker.tell(web, "oom", clock.now() + second)
        docker.tell(web, "die", clock.now() + second + 0.1)
    docker.break_streams()
    await clock.advance(1)  # the history is told again

    assert (await watcher.look())[0].oom_kills == 3


async def test_nothing_of_removed_containers_is_kept(watch, docker, clock, make):
    watcher = await watch()
    for number in range(50):
        web = docker.put(make(f"shop-web-{number}", pid=0))
        docker.tell(web, "start", clock.now())
        await clock.settle()
        await watcher.look()
        docker.remove(web)
        docker.tell(web, "destroy", clock.now())
    await clock.advance(2 * POLL_S)
    await watcher.look()

    assert sizes(watcher) == {}


@pytest.fixture
def crowd(docker, proc, make):
    """Thirty running containers whose processes can be seen."""
    found = [docker.put(make(f"shop-web-{number}", pid=5000 + number)) for number in range(30)]
    for container in found:
        proc.start(container, container.pid)
    return found


async def test_calm_containers_are_inspected_once_a_minute_a_few_at_a_time(watch, docker, clock, crowd):
    await watch()
    docker.inspects.clear()
    at_each = []
    for _ in range(12):
        before = len(docker.inspects)
        await clock.advance(POLL_S)
        at_each.append(len(docker.inspects) - before)

    assert at_each == [5] * 12
    assert set(collections.Counter(docker.inspects).values()) == {2}


async def test_what_only_inspect_tells_is_at_most_a_minute_old(watch, docker, clock, crowd):
    watcher = await watch()
    for container in crowd:
        docker.change(container, memory_limit=77)
    await clock.advance(60)

    assert {container.memory_limit for container in watcher.containers} == {77}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "paused"},
        {"status": "exited", "pid": 0, "exit_code": 3},
        {"name": "shop-other-1"},
        {"health": "unhealthy", "health_failing_streak": 3},
    ],
)
async def test_what_the_list_tells_is_seen_by_the_poll_without_any_event(watch, docker, clock, crowd, changes):
    watcher = await watch()
    changed = docker.change(crowd[7], **changes)
    await clock.advance(POLL_S)

    assert changed in watcher.containers


async def test_a_restart_without_any_event_is_seen_by_the_poll_without_a_scrape(watch, docker, proc, clock, crowd):
    watcher = await watch()
    proc.end(5007)
    proc.start(crowd[7], 6000)
    changed = docker.change(crowd[7], pid=6000, restart_count=1)
    await clock.advance(POLL_S)

    assert changed in watcher.containers


@pytest.mark.parametrize("values", [{"status": "restarting"}, {"health": "starting"}, {"health": "unhealthy"}])
async def test_what_is_not_calm_is_followed_at_every_poll(watch, docker, clock, crowd, values):
    docker.change(crowd[7], **values)
    watcher = await watch()
    for count in range(1, 5):
        changed = docker.change(crowd[7], restart_count=count, health_failing_streak=count)
        await clock.advance(POLL_S)
        assert changed in watcher.containers


async def test_a_container_that_the_engine_hangs_on_does_not_cost_the_others(watch, docker, clock, crowd):
    watcher = await watch()
    docker.failures[crowd[7].id] = Unreachable("did not answer within 10 s")
    docker.change(crowd[7], status="exited", pid=0)
    other = docker.change(crowd[8], status="paused")
    await clock.advance(POLL_S)
    assert other in watcher.containers
    assert states(await watcher.look())["shop-web-7"] == ("running", True)
    with capture_logs() as logs:
        await clock.advance(STALE_S + POLL_S)

    seen = states(await watcher.look())
    assert len(seen) == 29
    assert "shop-web-7" not in seen
    assert warnings(logs) == ["docker.container_unknown"]
    del docker.failures[crowd[7].id]
    await clock.advance(POLL_S)
    assert states(await watcher.look())["shop-web-7"] == ("exited", False)


async def test_events_of_others_are_followed_while_the_engine_hangs_on_one(watch, docker, clock, crowd):
    watcher = await watch()
    docker.hangs.add(crowd[7].id)
    docker.tell(crowd[7], "pause", clock.now())
    await clock.settle()
    changed = docker.change(crowd[8], status="paused")
    docker.tell(crowd[8], "pause", clock.now())
    await clock.settle()

    assert changed in watcher.containers


async def test_what_changes_while_it_is_inspected_is_inspected_again(watch, docker, clock, make, monkeypatch):
    web = docker.put(make())
    watcher = await watch()
    answer, real = asyncio.Event(), docker.inspect

    async def slow(container_id):
        found = await real(container_id)
        await answer.wait()
        return found

    monkeypatch.setattr(docker, "inspect", slow)
    docker.tell(web, "start", clock.now())
    await clock.settle()
    changed = docker.change(web, status="paused")
    docker.tell(web, "pause", clock.now())
    await clock.settle()
    answer.set()
    await clock.settle()

    assert watcher.containers == (changed,)


async def test_a_container_that_cannot_be_read_is_reported_once(watch, docker, clock, crowd):
    docker.failures[crowd[7].id] = Permanent("the Docker Engine's answer cannot be read: State is missing")
    with capture_logs() as logs:
        watcher = await watch()
        await clock.advance(6 * POLL_S)

    assert len(await watcher.look()) == 29
    assert warnings(logs) == ["docker.container_unreadable"]


async def test_an_engine_that_lists_containers_and_tells_nothing_of_them_is_a_failure(watch, docker, clock, crowd):
    for container in crowd:
        docker.failures[container.id] = Unreachable("did not answer within 10 s")
    watcher = await watch()
    await clock.advance(POLL_S)

    with pytest.raises(Unreachable):
        await watcher.look()


async def test_an_engine_that_only_lists_is_believed_as_long_as_nothing_contradicts(watch, docker, clock, crowd):
    watcher = await watch()
    for container in crowd:
        docker.failures[container.id] = Unreachable("did not answer within 10 s")
    await clock.advance(3 * STALE_S)
    assert set(states(await watcher.look()).values()) == {("running", True)}
    for container in crowd:
        docker.change(container, status="paused")
    await clock.advance(3 * STALE_S)

    with pytest.raises(Unreachable):
        await watcher.look()


async def test_a_process_that_is_gone_and_never_explained_is_not_known_for_ever(watch, docker, proc, clock, crowd):
    watcher = await watch()
    await watcher.look()
    docker.failures[crowd[7].id] = Unreachable("did not answer within 10 s")
    proc.end(5007)
    assert states(await watcher.look())["shop-web-7"] == ("running", False)
    await clock.advance(STALE_S + 2 * POLL_S)

    assert "shop-web-7" not in states(await watcher.look())


async def test_an_engine_without_containers_is_no_failure(watch, docker):
    watcher = await watch()

    assert await watcher.look() == []


async def test_a_process_of_another_pid_namespace_is_not_taken_for_the_containers(watch, docker, proc, make):
    web = docker.put(make(pid=4711))
    proc.start(make("somebody-else-1"), 4711)
    watcher = await watch()
    await watcher.look()
    proc.end(4711)

    assert states(await watcher.look()) == {web.name: ("running", True)}


async def test_a_podman_removal_is_seen_at_once(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    docker.remove(web)
    docker.tell(web, "remove", clock.now())
    await clock.settle()

    assert watcher.containers == ()
