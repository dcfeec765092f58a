"""What the guardian repairs by itself: exits, failing checks, limits; and what it leaves to people.

It runs in the test's own loop, where blockbuster raises at every call that would block.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from blockbuster import blockbuster_ctx
from fakes.guarded import PROCESSES, Guarded, python

from guardian import app, logs
from guardian.escalate import CrashLoopNotice
from guardian.model import Supervised
from homeostat.clock import SystemClock
from homeostat.platforms import detect
from homeostat.processspec import ProcessSpec
from homeostat.structure import written

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX programs")

FOREVER = "import time; time.sleep(600)"
FAST = {"backoff": {"initial": "50ms", "jitter": 0}, "start_grace": "100ms", "stop_grace": "1s"}
#: Serves until SIGUSR1, then still accepts but never answers. argv[1]: the port.
HANGS = """
import http.server, signal, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(600))
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""

Run = Callable[..., Awaitable[Guarded]]


@pytest.fixture
def told() -> list[CrashLoopNotice]:
    return []


@pytest.fixture
async def run(tmp_path, free_port, told) -> AsyncIterator[Run]:
    """A function: (processes) -> a client of a guardian in this loop."""
    end: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    guarded = Guarded(tmp_path, f"127.0.0.1:{free_port()}", {})
    tasks: list[asyncio.Task[None]] = []

    async def notify(notice: CrashLoopNotice) -> None:
        told.append(notice)

    async def start(**processes: dict[str, object]) -> Guarded:
        logs.folder(guarded.state_dir).mkdir(parents=True)
        supervised = [
            Supervised(name, f"local/{name}", written(ProcessSpec, {**FAST, **spec}))
            for name, spec in processes.items()
        ]
        config = app.Config(supervised, guarded.state_dir, guarded.listen, dict(os.environ), notify)
        tasks.append(asyncio.create_task(app.run(config, app.Host(detect(), PROCESSES, SystemClock()), end)))
        await guarded.answers()
        return guarded

    with blockbuster_ctx(scanned_modules=["guardian", "homeostat"]):
        yield start
        end.set_result(False)
        await asyncio.gather(*tasks)
    left = await guarded.our_pids()
    await guarded.clean_up()
    assert left == set()


async def test_an_ended_process_is_restarted(run):
    guardian = await run(web={"command": python(FOREVER)})
    before = await guardian.until("web", state="running")

    os.kill(before.pid, signal.SIGKILL)

    after = await guardian.until("web", 2.0, state="running", restarts=1)
    assert (after.pid == before.pid, after.exit_code) == (False, 137)


async def test_a_process_that_ends_with_success_is_left(run):
    guardian = await run(job={"command": ["true"]}, always={"command": ["sleep", "0.2"], "restart": "always"})

    job = await guardian.until("job", state="exited")
    await guardian.until("always", restarts=2)

    assert (job.exit_code, job.restarts, job.pid) == (0, 0, 0)


async def test_a_crash_loop_is_left_to_people_who_are_called_once(run, told):
    guardian = await run(
        web={"command": ["sh", "-c", "echo no database; exit 3"], "crash_loop": {"count": 3, "window": "60s"}}
    )

    loop = await guardian.until("web", state="crash_looping")
    await asyncio.sleep(0.5)

    assert (loop.crash_looping, loop.exit_code, loop.restarts, loop.pid) == (True, 3, 2, 0)
    (notice,) = told
    assert (notice.workload, notice.count, notice.exit_code) == ("local/web", 3, 3)
    assert notice.log.read_text() == "no database\n" * 3
    assert (await guardian.status("web")).restarts == 2


async def test_a_program_that_is_missing_is_left_to_people_too(run, told):
    guardian = await run(web={"command": ["/no/such/program"], "crash_loop": {"count": 2, "window": "60s"}})

    await guardian.until("web", state="crash_looping")
    await asyncio.sleep(0.2)

    assert len(told) == 1


async def test_a_process_that_hangs_is_restarted(run, free_port):
    port = free_port()
    check = {"http": f"http://127.0.0.1:{port}/", "interval": "100ms", "timeout": "200ms", "failures": 2}
    guardian = await run(web={"command": python(HANGS.format(port=port)), "check": check, "start_grace": "1500ms"})
    before = await guardian.until("web", state="running", last_check_ok=True)

    os.kill(before.pid, signal.SIGUSR1)

    after = await guardian.until("web", 12.0, restarts=1, last_check_ok=True)
    assert after.pid != before.pid


async def test_a_process_that_never_answers_is_restarted_after_its_grace(run, free_port):
    check = {"tcp": f"127.0.0.1:{free_port()}", "interval": "100ms", "failures": 2}
    guardian = await run(web={"command": python(FOREVER), "check": check, "start_grace": "700ms"})

    starting = await guardian.until("web", state="starting", last_check_ok=False)
    after = await guardian.until("web", 5.0, restarts=1)

    assert (starting.restarts, after.pid == starting.pid) == (0, False)


async def test_a_process_that_is_never_restarted_is_not_ended_for_its_check(run, free_port):
    check = {"tcp": f"127.0.0.1:{free_port()}", "interval": "50ms", "failures": 1}
    guardian = await run(web={"command": python(FOREVER), "check": check, "restart": "never"})

    before = await guardian.until("web", last_check_ok=False)
    await asyncio.sleep(0.5)

    assert (await guardian.status("web")).pid == before.pid


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        pytest.param("x = b'x' * (100 << 20); import time; time.sleep(600)", {"rss": "64MiB"}, id="rss"),
        pytest.param(
            "f = [open('/dev/null') for _ in range(200)]; import time; time.sleep(600)", {"fds": 100}, id="fds"
        ),
        pytest.param("while True: pass", {"cpu": 0.3}, id="cpu"),
    ],
)
async def test_a_process_past_a_limit_is_restarted(run, script, limits):
    guardian = await run(
        web={"command": python(script), "limits": {**limits, "for": "600ms"}},
        frugal={"command": python(FOREVER), "limits": {**limits, "for": "600ms"}},
    )
    before = await guardian.until("web", state="running")

    after = await guardian.until("web", 20.0, restarts=1)

    assert after.pid != before.pid
    assert (await guardian.status("frugal")).restarts == 0


async def test_what_a_process_leaves_behind_is_ended_before_the_next_start(run):
    script = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    guardian = await run(web={"command": python(script)})
    before = await guardian.until("web", state="running")
    async with asyncio.timeout(5):
        while len(old := await guardian.our_pids()) < 2:
            await asyncio.sleep(0.02)

    os.kill(before.pid, signal.SIGKILL)
    await guardian.until("web", restarts=1, state="running")

    assert not await guardian.our_pids() & old


async def test_usage_is_of_the_whole_tree(run):
    script = "import subprocess; sum(range(10**6)); subprocess.run(['sleep', '600'])"
    guardian = await run(web={"command": python(script)})
    await guardian.until("web", state="running")
    async with asyncio.timeout(5):
        while len(pids := await guardian.our_pids()) < 2:
            await asyncio.sleep(0.02)

    # The tree may have been looked at last when the process was new, and had used less than a clock tick.
    async with asyncio.timeout(15):
        while (web := await guardian.status("web")).cpu_seconds == 0:
            await asyncio.sleep(0.1)

    sizes = {pid: (await asyncio.to_thread(PROCESSES.row, pid)).rss_bytes for pid in pids}
    alone, together = sizes[web.pid], sum(sizes.values())
    assert 0.9 * alone < web.rss_bytes <= 1.1 * together
    assert web.open_fds >= 3 and web.cpu_seconds > 0


async def test_a_large_log_is_rotated_at_a_restart(run):
    guardian = await run(web={"command": python(f"print('x' * {logs.MAX_BYTES}); {FOREVER}")})
    log = guardian.state_dir / "logs" / "web.log"
    async with asyncio.timeout(10):
        while not log.exists() or log.stat().st_size <= logs.MAX_BYTES:
            await asyncio.sleep(0.02)

    await guardian.client.restart("web", 1, timeout_s=10)

    assert log.with_name("web.log.1").stat().st_size > logs.MAX_BYTES
