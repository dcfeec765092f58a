"""Probes keep their pace, never overlap, follow their workloads and leave nothing behind."""

import asyncio
import contextlib
import dataclasses
import itertools

import pytest

from exporters.catalog import Entry
from exporters.probing import FOLLOW_S, Prober, new_session, plan, spread
from homeostat.clock import SystemClock
from homeostat.errors import Temporary
from homeostat.probes import ProbeContext, ProbeResult, open_probe
from homeostat.workloads import Kind, ProbeSpec, Workload

HTTP = ProbeSpec("http", ":8080/health", 2.0, 1.0)


def entry(*containers, probes_=(HTTP,), enabled=True, kind=Kind.CONTAINER, workload_id="shop/web"):
    return Entry(Workload(workload_id, kind, enabled=enabled, probes=tuple(probes_)), tuple(containers))


def planned(*entries):
    return {(t.key.workload, t.key.container, t.key.probe, t.spec.target if t.spec else None) for t in plan(entries)}


def test_a_probe_of_the_container_goes_to_each_of_them(make):
    found = planned(entry(make("shop-web-1"), make("shop-web-2", addresses=("172.18.0.3",))))

    assert found == {
        ("shop/web", "shop-web-1", "http :8080/health", "http://172.18.0.2:8080/health"),
        ("shop/web", "shop-web-2", "http :8080/health", "http://172.18.0.3:8080/health"),
    }


def test_a_probe_with_a_host_runs_once_and_belongs_to_no_container(make):
    outside = ProbeSpec("http", "http://shop.example/", 2.0, 1.0)

    assert planned(entry(make("shop-web-1"), make("shop-web-2"), probes_=[outside])) == {
        ("shop/web", "", "http http://shop.example/", "http://shop.example/")
    }


@pytest.mark.parametrize("status", ["exited", "created", "restarting", "removing", "dead"])
def test_what_does_not_run_is_not_probed(make, status):
    assert planned(entry(make(status=status))) == set()


def test_a_paused_container_is_probed(make):
    assert len(planned(entry(make(status="paused")))) == 1


def test_a_container_without_an_address_cannot_be_looked_at(make):
    assert planned(entry(make(addresses=()))) == set()


def test_what_nobody_enabled_is_not_probed(make):
    assert planned(entry(make(), enabled=False)) == set()


def test_a_process_has_no_address_of_its_own():
    outside = ProbeSpec("tcp", "127.0.0.1:80", 2.0, 1.0)

    assert planned(entry(probes_=[HTTP, outside], kind=Kind.PROCESS)) == {
        ("shop/web", "", "tcp 127.0.0.1:80", "127.0.0.1:80")
    }


def test_first_runs_are_spread_and_always_the_same(make):
    targets = plan([entry(*(make(f"shop-web-{number}") for number in range(50)))])
    waits = [spread(target) for target in targets]

    assert all(0 <= wait < HTTP.interval_s for wait in waits)
    assert len({round(wait, 1) for wait in waits}) > 12
    assert waits == [spread(target) for target in targets]


def test_nobody_waits_long_for_a_first_result(make):
    rare = dataclasses.replace(HTTP, interval_s=3600.0)

    assert all(spread(target) < 10 for target in plan([entry(make(), probes_=[rare])]))


class Probed:
    """Opens probes that note when each target was checked, and answer as told: why not, or an exception."""

    def __init__(self, clock):
        self.clock = clock
        self.runs = []
        self.now = {}
        self.overlaps = 0
        self.answer = ""
        self.hold = None
        self.open = []

    def __call__(self, spec, _context):
        self.open.append(spec.target)
        return Check(self, spec.target)


class Check:
    """One probe of Probed."""

    def __init__(self, probed, target):
        self.probed = probed
        self.target = target

    async def check(self):
        probed, target = self.probed, self.target
        probed.runs.append((target, probed.clock.monotonic()))
        probed.overlaps += probed.now.get(target, 0)
        probed.now[target] = probed.now.get(target, 0) + 1
        try:
            if probed.hold is not None:
                await probed.hold.wait()
            if isinstance(probed.answer, Exception):
                raise probed.answer
            return ProbeResult(not probed.answer, probed.answer, 0.1)
        finally:
            probed.now[target] -= 1

    async def close(self):
        self.probed.open.remove(self.target)


@pytest.fixture
def probed(clock):
    return Probed(clock)


class Running:
    """A prober on entries that tests change."""

    def __init__(self, prober, entries):
        self.prober = prober
        self.entries = entries

    def __call__(self):
        return self.entries


@contextlib.asynccontextmanager
async def running(clock, opener, *entries):
    async with new_session() as session:
        holder = Running(None, tuple(entries))
        prober = holder.prober = Prober(holder, ProbeContext(session, clock), opener)
        task = asyncio.create_task(prober.run())
        try:
            yield holder
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def results(prober):
    return {key.container: seen.result for key, seen in prober.observations().items()}


async def test_a_probe_runs_at_its_interval(clock, make, probed):
    async with running(clock, probed, entry(make())) as holder:
        await clock.advance(20)
        times = [at for _, at in probed.runs]
        (observation,) = holder.prober.observations().values()

    assert len(times) == 10
    assert {round(b - a, 6) for a, b in itertools.pairwise(times)} == {2.0}
    assert observation.result.ok
    assert observation.at == pytest.approx(clock.now() - 20 + times[-1])


async def test_the_last_result_is_kept(clock, make, probed):
    async with running(clock, probed, entry(make())) as holder:
        await clock.advance(4)
        probed.answer = "status 503"
        await clock.advance(2)
        found = results(holder.prober)["shop-web-1"]

    assert (found.ok, found.reason) == (False, "status 503")


async def test_a_probe_never_overlaps_itself_and_late_runs_are_not_made_up_for(clock, make, probed):
    async with running(clock, probed, entry(make())):
        await clock.advance(2)
        probed.hold = asyncio.Event()
        await clock.advance(2)
        before = len(probed.runs)
        clock.elapsed += 30  # the check takes that long
        probed.hold.set()
        await clock.settle()
        await clock.advance(2)

    assert probed.overlaps == 0
    assert len(probed.runs) - before <= 2


async def test_a_probe_that_raises_says_nothing_and_the_others_go_on(clock, make, probed):
    probed.answer = RuntimeError("a bug")
    async with running(clock, probed, entry(make()), entry(make("shop-db-1"), workload_id="shop/db")) as holder:
        await clock.advance(6)
        found = results(holder.prober)

    # A bug of ours is no reason to restart what it looks at.
    assert {name: (result.ok, result.reason) for name, result in found.items()} == {
        "shop-web-1": (None, "RuntimeError"),
        "shop-db-1": (None, "RuntimeError"),
    }
    assert len(probed.runs) >= 4


async def test_a_new_container_is_probed_and_one_that_goes_leaves_nothing(clock, make, probed):
    async with running(clock, probed) as holder:
        for number in range(30):
            holder.entries = (entry(make(f"shop-web-{number}")),)
            await clock.advance(3)
            assert set(results(holder.prober)) == {f"shop-web-{number}"}
            assert len(holder.prober._tasks) == 1
            assert len(probed.open) == 1
        holder.entries = ()
        await clock.advance(FOLLOW_S)

        assert results(holder.prober) == {}
        assert holder.prober._tasks == {}
        assert probed.open == []
        names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
        assert "Prober._repeat" not in names


async def test_a_new_address_is_followed_and_the_result_kept_until_the_next(clock, make, probed):
    async with running(clock, probed, entry(make())) as holder:
        await clock.advance(3)
        probed.runs.clear()
        holder.entries = (entry(make(addresses=("172.18.0.9",))),)
        await clock.advance(FOLLOW_S)
        assert results(holder.prober)["shop-web-1"] is not None
        await clock.advance(4)

    assert {target for target, _ in probed.runs[1:]} == {"http://172.18.0.9:8080/health"}


async def test_unchanged_probes_keep_their_pace_when_others_change(clock, make, probed):
    web = entry(make())
    async with running(clock, probed, web) as holder:
        await clock.advance(5)
        holder.entries = (web, entry(make("shop-db-1", addresses=("172.18.0.3",)), workload_id="shop/db"))
        await clock.advance(5)
    times = [at for target, at in probed.runs if "172.18.0.2" in target]

    assert {round(b - a, 6) for a, b in itertools.pairwise(times)} == {2.0}


async def test_probes_that_stand_still_are_an_error(clock, make, probed):
    async with running(clock, probed, entry(make())) as holder:
        await clock.advance(4)
        probed.hold = asyncio.Event()
        await clock.advance(2)
        clock.elapsed += 3 * HTTP.interval_s + HTTP.timeout_s + 5.1

        with pytest.raises(Temporary, match="stand still"):
            holder.prober.observations()


async def test_a_probe_that_has_not_run_yet_has_no_result(clock, make, probed):
    async with running(clock, probed, entry(make())) as holder:
        await clock.settle()

        assert results(holder.prober) == {"shop-web-1": None}


async def test_a_probe_is_opened_once_for_all_its_checks(clock, make, probed):
    async with running(clock, probed, entry(make())):
        await clock.advance(20)

        assert len(probed.open) == 1
        assert len(probed.runs) == 10


async def test_thresholds_hold_over_a_change_of_address_and_end_with_the_container(clock, make, probed):
    patient = dataclasses.replace(HTTP, failures=4)
    async with running(clock, probed, entry(make(), probes_=[patient])) as holder:
        await clock.advance(4)
        probed.answer = "status 503"
        await clock.advance(4)
        holder.entries = (entry(make(addresses=("172.18.0.9",)), probes_=[patient]),)
        await clock.advance(2)
        below = healthy(holder.prober)
        await clock.advance(4)
        beyond = healthy(holder.prober)
        checks = only(holder.prober).tally.checks
        holder.entries = ()
        await clock.advance(1)
        probed.answer = ""
        holder.entries = (entry(make(), probes_=[patient]),)
        await clock.advance(3)

        assert (below, beyond) == (True, False)
        assert checks >= 6
        assert healthy(holder.prober) is True
        assert only(holder.prober).tally.checks < checks


async def test_of_two_probes_of_one_name_the_first_is_run(make):
    first, second = (dataclasses.replace(HTTP, given_name="front", timeout_s=each) for each in (1.0, 2.0))

    assert [target.spec.timeout_s for target in plan([entry(make(), probes_=[first, second])])] == [1.0]


def test_an_expression_that_begins_with_a_colon_goes_to_no_container(make):
    rule = ProbeSpec("promql", ":orders:rate5m", 2.0, 1.0)

    assert planned(entry(make(), probes_=[rule])) == {("shop/web", "", "promql :orders:rate5m", ":orders:rate5m")}


def only(prober):
    (observation,) = prober.observations().values()
    return observation


def healthy(prober):
    return only(prober).healthy


async def test_ending_the_prober_ends_its_probes(clock, make, probed):
    probed.hold = asyncio.Event()
    async with running(clock, probed, entry(make())):
        await clock.advance(3)

    assert probed.now == {"http://172.18.0.2:8080/health": 0}
    assert probed.open == []


async def test_real_servers_that_never_answer_do_not_hold_up_the_others(make):
    async def never(reader, writer):
        await reader.read()
        writer.close()

    async def at_once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    hanging = await asyncio.start_server(never, "127.0.0.1", 0)
    good = await asyncio.start_server(at_once, "127.0.0.1", 0)
    ports = {name: server.sockets[0].getsockname()[1] for name, server in (("bad", hanging), ("good", good))}
    targets = [f"http://127.0.0.1:{ports['bad' if number else 'good']}/" for number in range(150)]
    entries = [
        entry(probes_=[ProbeSpec("http", target, 0.2, 1.0 if number else 0.3)], workload_id=f"shop/w{number}")
        for number, target in enumerate(targets)
    ]
    async with running(SystemClock(), open_probe, *entries) as holder:
        seen_of_good = {}
        for _ in range(100):
            await asyncio.sleep(0.015)
            seen = {key.workload: seen for key, seen in holder.prober.observations().items()}
            seen_of_good[seen["shop/w0"].at] = seen["shop/w0"].result
    found = {workload: observation.result for workload, observation in seen.items()}
    for server in (hanging, good):
        server.close()
    await asyncio.sleep(0.1)

    assert len(seen_of_good) >= 4
    assert all(result is None or result.ok for result in seen_of_good.values())
    del found["shop/w0"]
    assert {result.reason for result in found.values() if result} == {"no answer within 1 s"}
