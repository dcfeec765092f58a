"""The watcher against an engine that drops events, hangs and goes away."""

import asyncio
import contextlib

import pytest

from exporters.watch import ABSENT_POLL_S, POLL_S, STALE_S, Watcher, birth
from homeostat.errors import Unreachable


class Proc:
    """A /proc with only what the watcher reads."""

    def __init__(self, root):
        self.root = root

    def start(self, pid, at=100, state="S"):
        (self.root / str(pid)).mkdir(exist_ok=True)
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


async def test_an_older_answer_never_replaces_a_newer_one(watch, docker, clock, make):
    web = docker.put(make())
    watcher = await watch()
    answer, real = asyncio.Event(), docker.list

    async def slow_list(workload_id=None):
        found = await real(workload_id)
        await answer.wait()
        return found

    docker.list = slow_list
    await clock.advance(POLL_S)  # a poll has read "running" and is under way
    docker.change(web, status="exited", pid=0)
    docker.tell(web, "die", clock.now())
    await clock.settle()
    answer.set()
    await clock.settle()

    assert states(await watcher.look()) == {"shop-web-1": ("exited", False)}


async def test_a_crash_whose_event_was_dropped_is_seen_at_the_next_scrape(watch, docker, proc, make):
    web = docker.put(make(pid=4711))
    proc.start(4711)
    watcher = await watch()
    await watcher.look()
    docker.is_deaf = True
    proc.end(4711)
    docker.change(web, status="exited", pid=0, exit_code=139, finished_at=1_800_000_000.0)
    (seen,) = await watcher.look()

    assert (seen.is_running, seen.container.exit_code, seen.stopped_by_request) == (False, 139, None)


@pytest.mark.parametrize("trouble", ["is_hung", "is_down"])
async def test_a_crash_is_seen_even_when_the_engine_does_not_answer(watch, docker, proc, make, monkeypatch, trouble):
    monkeypatch.setattr("exporters.watch._CONFIRM_S", 0.05)
    docker.put(make(pid=4711))
    proc.start(4711)
    watcher = await watch()
    await watcher.look()
    setattr(docker, trouble, True)
    proc.end(4711)
    async with asyncio.timeout(1):
        (seen,) = await watcher.look()

    assert (seen.container.status, seen.is_running) == ("running", False)


async def test_a_pid_used_again_by_another_process_is_a_crash(watch, docker, proc, make):
    web = docker.put(make(pid=4711))
    proc.start(4711, at=100)
    watcher = await watch()
    await watcher.look()
    proc.start(4711, at=999)
    docker.change(web, status="exited", pid=0)

    assert states(await watcher.look()) == {"shop-web-1": ("exited", False)}


async def test_a_zombie_is_gone(watch, docker, proc, make):
    docker.put(make(pid=4711))
    proc.start(4711)
    watcher = await watch()
    await watcher.look()
    proc.start(4711, state="Z")

    assert states(await watcher.look()) == {"shop-web-1": ("running", False)}


async def test_without_the_hosts_processes_nothing_is_missed(watch, docker, make):
    docker.put(make(pid=4711))
    watcher = await watch()
    for _ in range(3):
        assert states(await watcher.look()) == {"shop-web-1": ("running", True)}

    assert docker.inspects == []


async def test_a_restart_within_a_scrape_interval_is_no_crash(watch, docker, proc, clock, make):
    web = docker.put(make(pid=4711))
    proc.start(4711)
    watcher = await watch()
    await watcher.look()
    proc.end(4711)
    proc.start(4800)
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

    assert not (watcher._containers or watcher._heard or watcher._births or watcher._turns or watcher._changed)


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        (b"1 (sh) S " + b"0 " * 18 + b"77 0", b"77"),
        (b"1 (a ) b) R " + b"0 " * 18 + b"77 0", b"77"),
        (b"1 (sh) Z " + b"0 " * 18 + b"77 0", None),
        (b"1 (sh) X " + b"0 " * 18 + b"77 0", None),
        (b"", None),
        (None, None),
    ],
)
def test_a_process_is_known_by_its_start(stat, expected):
    assert birth(stat) == expected
