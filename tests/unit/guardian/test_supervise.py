"""What a supervisor makes of ends, orders, and what was left by the guardian before."""

import asyncio

import pytest
from fakes.supervised import Plan
from structlog.testing import capture_logs

from guardian.model import Order, State
from guardian.policy import Cause
from guardian.state import Record, spec_hash
from homeostat.errors import NotFound, Permanent, Unreachable
from homeostat.processes import ProcessId

LIVE = ProcessId(42, 4.2)
CRASH_LOOP = {"crash_loop": {"count": 3, "window": "60s"}, "backoff": {"initial": "1s", "jitter": 0}}


async def test_an_ended_process_is_started_again_after_a_wait(world, running, until):
    supervisor = running(world.supervisor(Plan(1), Plan(1), **CRASH_LOOP))

    await until(lambda: supervisor.running is not None and supervisor.running.id.pid == 103)

    assert (supervisor.state, supervisor.exit_code) == (State.RUNNING, 1)
    assert supervisor.restarts == {Cause.EXIT: 2, Cause.CHECK: 0, Cause.LIMIT: 0, Cause.REQUEST: 0}
    assert world.clock.slept == [0.0, 1.0, 2.0]
    # What an ended process left behind is ended too.
    assert world.launcher.calls == ["start", "end 7", "start", "end 7", "start"]


async def test_a_crash_loop_stops_it_and_calls_people_once(world, running, until):
    supervisor = running(world.supervisor(Plan(1), Plan(1), Plan(9), **CRASH_LOOP))

    await until(lambda: bool(world.told))
    await asyncio.sleep(0.01)

    assert supervisor.state is State.CRASH_LOOPING
    assert [(n.workload, n.count, n.window_s, n.exit_code) for n in world.told] == [("local/web", 3, 60.0, 9)]
    assert (world.saved().settled, world.launcher.calls.count("start")) == ("crash_looping", 3)


@pytest.mark.parametrize("order", [Order.START, Order.RESTART])
async def test_a_crash_looping_process_starts_by_request_with_a_clean_slate(world, running, until, order):
    supervisor = running(world.supervisor(Plan(1), Plan(1), Plan(1), Plan(1), **CRASH_LOOP))
    await until(lambda: bool(world.told))

    await supervisor.ask(order)
    await until(lambda: supervisor.running is not None and supervisor.running.id.pid == 105)

    assert (supervisor.state, len(world.told)) == (State.RUNNING, 1)
    assert world.saved().settled is None


async def test_a_second_crash_loop_calls_people_again(world, running, until):
    supervisor = running(world.supervisor(*[Plan(1)] * 6, **CRASH_LOOP))
    await until(lambda: len(world.told) == 1)

    await supervisor.ask(Order.RESTART)

    await until(lambda: len(world.told) == 2)


async def test_people_who_cannot_be_told_hold_up_no_order(world, running, until):
    supervisor = world.supervisor(Plan(1), Plan(1), Plan(1), **CRASH_LOOP)
    asked = asyncio.Event()

    async def hang(notice):
        asked.set()
        await asyncio.Event().wait()

    object.__setattr__(supervisor._tools, "notify", hang)
    running(supervisor)
    await asked.wait()

    await asyncio.wait_for(supervisor.ask(Order.RESTART), 1)

    assert supervisor.state is State.RUNNING


async def test_success_is_the_end_of_it(world, running, until):
    supervisor = running(world.supervisor(Plan(0)))

    await until(lambda: supervisor.state is State.EXITED)
    await until(lambda: world.saved().settled == "exited")

    assert supervisor.exit_code == 0


async def test_a_program_that_does_not_start_ends_in_a_crash_loop(world, running, until):
    missing = Plan(problem=NotFound("web: cannot be started: no web"))
    supervisor = running(world.supervisor(missing, missing, missing, missing, **CRASH_LOOP))
    await until(lambda: supervisor.state is State.CRASH_LOOPING)

    with pytest.raises(Permanent, match="web: web: cannot be started: no web"):
        await supervisor.ask(Order.RESTART)

    assert supervisor.restarts[Cause.REQUEST] == 0


async def test_restart_by_request_counts_as_that_and_takes_its_own_grace(world, running, until):
    supervisor = running(world.supervisor())
    await until(lambda: supervisor.running is not None)

    await supervisor.ask(Order.RESTART, 2.5)

    assert world.launcher.calls == ["start", "end 2.5", "start"]
    assert (supervisor.restarts[Cause.REQUEST], supervisor.state) == (1, State.RUNNING)


async def test_a_stopped_process_stays_stopped_until_it_is_started(world, running, until):
    supervisor = running(world.supervisor(restart="always"))
    await until(lambda: supervisor.running is not None)

    await supervisor.ask(Order.STOP)
    await asyncio.sleep(0.01)
    assert (supervisor.state, world.saved().is_stopped) == (State.STOPPED, True)

    await supervisor.ask(Order.START)
    assert (supervisor.state, world.saved().is_stopped) == (State.RUNNING, False)
    assert sum(supervisor.restarts.values()) == 0


async def test_start_leaves_a_running_process_alone(world, running, until):
    supervisor = running(world.supervisor())
    await until(lambda: supervisor.running is not None)

    await supervisor.ask(Order.START)

    assert world.launcher.calls == ["start"]


async def test_orders_are_carried_out_one_after_the_other(world, running, until):
    supervisor = running(world.supervisor())
    await until(lambda: supervisor.running is not None)

    await asyncio.gather(*(supervisor.ask(order) for order in (Order.RESTART, Order.STOP, Order.RESTART)))

    assert world.launcher.calls == ["start", "end 7", "start", "end 7", "start"]


async def test_an_order_whose_asker_left_does_not_block_the_next(world, running, until):
    supervisor = running(world.supervisor())
    await until(lambda: supervisor.running is not None)
    leaving = asyncio.create_task(supervisor.ask(Order.RESTART))
    await asyncio.sleep(0)
    leaving.cancel()

    await asyncio.wait_for(supervisor.ask(Order.STOP), 2)

    assert supervisor.state is State.STOPPED


async def test_after_the_end_orders_are_refused(world):
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    with pytest.raises(Unreachable, match="ending"):
        await supervisor.ask(Order.RESTART)


async def test_an_unforeseen_error_is_logged_and_the_watch_goes_on(world, running, until):
    with capture_logs() as logs:
        supervisor = running(world.supervisor(Plan(1, watch_problem=RuntimeError("bug")), **CRASH_LOOP))
        await until(lambda: supervisor.running is not None and supervisor.running.id.pid == 102)

    assert [line["log_level"] for line in logs if line["event"] == "process.supervision_failed"] == ["error"]


@pytest.mark.parametrize(
    ("record", "live", "state", "calls"),
    [
        pytest.param(Record(pid=42, start=4.2), LIVE, State.RUNNING, ["adopt"], id="still runs"),
        pytest.param(Record(), None, State.RUNNING, ["start"], id="new"),
        pytest.param(Record(settled="exited"), None, State.EXITED, [], id="had ended for good"),
        pytest.param(Record(settled="crash_looping"), None, State.CRASH_LOOPING, [], id="was crash-looping"),
        pytest.param(Record(is_stopped=True), None, State.STOPPED, [], id="was stopped"),
        pytest.param(Record(pid=42, start=4.2), None, State.RUNNING, ["start"], id="ended while nobody watched"),
        pytest.param(
            Record(pid=42, start=4.2, spec_hash="other"), LIVE, State.RUNNING, ["adopt", "end 7", "start"], id="changed"
        ),
    ],
)
async def test_what_the_guardian_before_left_is_taken_up(world, running, until, record, live, state, calls):
    supervisor = world.supervisor()
    await supervisor.resume(record, live)
    running(supervisor)

    await until(lambda: supervisor.state is state and world.launcher.calls == calls)

    assert world.told == []


async def test_what_ended_unwatched_is_not_started_again_where_the_policy_is_never(world, running, until):
    supervisor = world.supervisor(restart="never")

    await supervisor.resume(Record(pid=42, start=4.2), None)
    running(supervisor)
    await asyncio.sleep(0.01)

    assert (supervisor.state, world.launcher.calls) == (State.EXITED, [])


async def test_restarts_go_on_counting(world, running, until):
    supervisor = world.supervisor()
    record = Record(pid=42, start=4.2, spec_hash=spec_hash(supervisor.process.spec), restarts={Cause.EXIT: 7})
    await supervisor.resume(record, LIVE)
    running(supervisor)

    await supervisor.ask(Order.RESTART)

    assert (supervisor.restarts[Cause.EXIT], supervisor.restarts[Cause.REQUEST]) == (7, 1)


async def test_shutting_down_ends_the_process_and_the_next_guardian_starts_it(world, until):
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.running is not None)
    task.cancel()
    await asyncio.wait([task])

    await supervisor.shut_down()

    assert world.launcher.calls == ["start", "end 7"]
    assert (world.saved().pid, world.saved().settled) == (None, None)


@pytest.mark.parametrize(("order", "is_stopped"), [(Order.STOP, True), (Order.START, False)])
async def test_a_stop_by_request_outlives_a_shutdown(world, until, order, is_stopped):
    supervisor = world.supervisor()
    task = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.running is not None)
    await supervisor.ask(order)
    task.cancel()
    await asyncio.wait([task])

    await supervisor.shut_down()

    assert world.saved().is_stopped is is_stopped
