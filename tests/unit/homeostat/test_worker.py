"""A kept thread: one call after the other, and an end of its own."""

import asyncio
import gc
import sys
import threading
import weakref

import pytest
from blockbuster import blockbuster_ctx

from homeostat.worker import Worker


async def test_every_call_runs_in_the_same_thread_and_not_in_the_loops():
    worker = Worker()
    threads = {await worker.run(threading.current_thread) for _ in range(10)}

    assert len(threads) == 1
    assert threading.current_thread() not in threads


async def test_an_error_is_the_callers_and_the_next_call_works():
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 / 0)
    with pytest.raises(SystemExit):
        await worker.run(lambda: sys.exit(1))

    assert await worker.run(lambda: 7) == 7


async def test_who_gives_up_leaves_the_call_running_and_the_next_one_waiting():
    worker, released = Worker(), threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await worker.run(lambda: released.wait(10))
    second = worker.run(lambda: "done")
    await asyncio.sleep(0.05)
    waited = not second.done()
    released.set()

    assert waited
    assert await second == "done"


async def test_its_thread_ends_with_it():
    worker = Worker()
    thread = await worker.run(threading.current_thread)
    del worker
    gc.collect()
    await asyncio.to_thread(thread.join, 5)

    assert not thread.is_alive()


async def test_without_a_call_there_is_no_thread():
    before = set(threading.enumerate())
    worker = Worker()
    after = set(threading.enumerate()) - before
    own = await worker.run(threading.current_thread)

    assert after == set()
    assert set(threading.enumerate()) - before == {own}


async def test_what_a_call_gave_is_not_kept_until_the_next():
    class Big:
        pass

    worker, gone = Worker(), threading.Event()

    def work():
        big = Big()
        weakref.finalize(big, gone.set)
        return big

    await worker.run(work)

    assert await asyncio.to_thread(gone.wait, 5)


async def test_a_thread_that_hangs_does_not_keep_the_process_alive():
    program = (
        "import asyncio, threading\n"
        "from homeostat.worker import Worker\n"
        "async def main():\n"
        "    worker = Worker()\n"
        "    worker.run(threading.Event().wait)\n"
        "    await asyncio.sleep(0.1)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    async with asyncio.timeout(20):
        assert await process.wait() == 0


async def test_nothing_blocks_the_loop():
    worker = Worker()
    with blockbuster_ctx():
        assert await worker.run(lambda: 1) == 1
        assert await worker.run(lambda: 2) == 2
