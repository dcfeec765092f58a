"""examples/shop on real Redis and PostgreSQL: it works, it breaks as told, and its hooks repair it."""

import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

SHOP = Path(__file__).parents[2] / "examples" / "shop"
FAULTS = ("hang", "crash", "memory-leak", "fd-leak", "thread-leak", "connection-leak", "error-rate", "slow", "reset")
MIB = 2**20


@dataclass
class Shop:
    """The stores, and the processes that use them."""

    folder: Path
    postgres_port: int
    redis_port: int
    stores: dict[str, subprocess.Popen] = field(default_factory=dict)

    def start_stores(self) -> None:
        run_postgres = [sys.executable, str(SHOP / "native" / "run_postgres.py")]
        redis = ["redis-server", "--port", str(self.redis_port), "--save", "", "--bind", "127.0.0.1"]
        commands = {
            "postgres": [*run_postgres, "--data", str(self.folder / "pg"), "--port", str(self.postgres_port)],
            "redis": redis,
        }
        with (self.folder / "stores.log").open("a") as log:
            for name, command in commands.items():
                self.stores[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def stop_stores(self) -> None:
        for process in self.stores.values():
            process.terminate()
        for process in self.stores.values():
            process.wait(timeout=30)  # PostgreSQL may have to mend what a kill has left

    def environ(self, port: int, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "SHOP_DATABASE_URL": f"postgresql://shop:shop-demo@127.0.0.1:{self.postgres_port}/shop",
            "SHOP_REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "SHOP_PORT": str(port),
            **more,
        }

    @contextmanager
    def run(self, module: str, **environ: str) -> Iterator["Service"]:
        """``python -m shop.<module>``, until it answers; killed at the end whatever state it is in."""
        port = pick_port()
        process = subprocess.Popen(
            [sys.executable, "-m", f"shop.{module}"], cwd=SHOP, env=self.environ(port, **environ)
        )
        try:
            wait_until_open(port, process)
            yield Service(process, f"http://127.0.0.1:{port}")
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Service:
    process: subprocess.Popen
    url: str

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, self.url + path, json=body) as response,
        ):
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else {}

    async def metrics(self) -> dict[str, float]:
        """``app_pool_waiting{pool="postgres"}`` -> value."""
        async with aiohttp.ClientSession() as session, session.get(self.url + "/metrics") as response:
            assert response.status == 200
            families = text_string_to_metric_families(await response.text())
        samples = [sample for family in families for sample in family.samples]
        return {
            s.name + "{" + ",".join(f'{k}="{v}"' for k, v in sorted(s.labels.items())) + "}": s.value for s in samples
        }

    async def wait_healthy(self) -> None:
        async with asyncio.timeout(10):
            while (await self.call("GET", "/health"))[0] != 200:
                await asyncio.sleep(0.1)

    def rss(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss

    def stop(self) -> tuple[int, float]:
        """Exit status of SIGTERM, and the seconds it took."""
        start = time.monotonic()
        self.process.terminate()
        return self.process.wait(timeout=10), time.monotonic() - start


def pick_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_until_open(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"{process.args} does not listen on {port}; exit status {process.poll()}")


def lacking() -> list[str]:
    found = {
        "redis-server (apt install redis-server)": shutil.which("redis-server"),
        "postgres (apt install postgresql)": list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        or shutil.which("postgres"),
        "asyncpg and redis": find_spec("asyncpg") and find_spec("redis"),
    }
    return [name for name, it in found.items() if not it]


@pytest.fixture(scope="module")
def shop():
    if names := lacking():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(f"examples/shop needs {', '.join(names)}")
    with tempfile.TemporaryDirectory(prefix="shop-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another user
        shop = Shop(Path(folder), pick_port(), pick_port())
        shop.start_stores()
        try:
            wait_until_open(shop.postgres_port, shop.stores["postgres"])
            yield shop
        finally:
            shop.stop_stores()


@pytest.fixture(scope="module")
def shared_web(shop):
    with shop.run("web", SHOP_FAULTS="1", SHOP_REQUEST_LOG=os.devnull) as web:
        yield web


@pytest.fixture
async def web(shared_web):
    """One for all tests that leave it alive."""
    await shared_web.wait_healthy()
    yield shared_web
    await shared_web.call("POST", "/faults/reset")


@pytest.fixture
async def doomed_web(shop):
    with shop.run("web", SHOP_FAULTS="1", SHOP_REQUEST_LOG=os.devnull) as web:
        await web.wait_healthy()
        yield web


@pytest.fixture
async def worker(shop):
    with shop.run("worker") as worker:
        await worker.wait_healthy()
        yield worker


async def order_until_done(web: Service) -> float:
    """Seconds from the order to done."""
    start = time.monotonic()
    status, order = await web.call("POST", "/orders", {"item_id": 1, "quantity": 2})
    assert status == 201
    await until_done(web, order["id"])
    return time.monotonic() - start


async def until_done(web: Service, order_id: int) -> None:
    async with asyncio.timeout(10):
        while (await web.call("GET", f"/orders/{order_id}"))[1]["status"] != "done":
            await asyncio.sleep(0.05)


async def test_an_order_goes_through_to_done(web, worker):
    seconds = await order_until_done(web)

    assert seconds < 2


async def test_orders_that_cannot_be_are_refused_with_the_reason(web):
    for body, reason in [
        ({"item_id": 99}, "item_id: there is no item 99"),
        ({"item_id": "1"}, "item_id: must be a whole number"),
        ({"item_id": 1, "quantity": 0}, "quantity: must be a whole number"),
        ([1], "body: must be a JSON object"),
    ]:
        status, answer = await web.call("POST", "/orders", body)

        assert status == 400
        assert answer["error"].startswith(reason)
    assert (await web.call("GET", "/orders/999999"))[0] == 404


async def test_web_and_worker_survive_a_restart_of_both_stores(shop, web, worker):
    await order_until_done(web)

    start = time.monotonic()
    shop.stop_stores()
    stopped_after = time.monotonic() - start
    status, health = await web.call("GET", "/health")
    shop.start_stores()

    assert stopped_after < 2  # with clients connected: fast, not smart shutdown
    assert status == 503
    assert sorted(health["reasons"]) == ["database", "redis"]
    await web.wait_healthy()
    await worker.wait_healthy()
    await order_until_done(web)


async def test_an_order_is_done_although_redis_lost_it(shop, web):
    _, order = await web.call("POST", "/orders", {"item_id": 1})
    subprocess.run(["redis-cli", "-p", str(shop.redis_port), "flushall"], check=True, stdout=subprocess.DEVNULL)

    with shop.run("worker"):
        await until_done(web, order["id"])


async def test_cache_clear_drops_the_leaked_memory_and_the_cached_items(web):
    _, items = await web.call("GET", "/items")
    before = web.rss()
    await web.call("POST", "/faults/memory-leak?mb_per_s=200&limit_mb=40")
    await asyncio.sleep(0.6)
    leaked = web.rss() - before

    _, done = await web.call("POST", "/hooks/cache-clear")

    assert [item["name"] for item in items] == ["kettle", "lamp", "chair"]
    assert leaked > 35 * MIB
    assert done["redis_keys"] == 1
    assert done["local_bytes"] == 40 * MIB
    assert web.rss() - before < 10 * MIB


async def test_a_pool_tells_who_uses_it_and_who_waits_in_vain(web):
    start = time.time()
    before = await web.metrics()
    await web.call("POST", "/faults/connection-leak?count=4")
    one_left = await web.metrics()
    await web.call("POST", "/faults/connection-leak?count=1")
    waiting = asyncio.create_task(web.call("GET", "/orders/1"))
    await asyncio.sleep(0.3)
    exhausted = await web.metrics()
    await waiting
    after = await web.metrics()
    await web.call("POST", "/hooks/reset-connections")
    healed = await web.metrics()

    used, limit = 'app_pool_connections{pool="postgres",state="used"}', 'app_pool_connections_max{pool="postgres"}'
    queue, timeouts = 'app_pool_waiting{pool="postgres"}', 'app_pool_timeouts_total{pool="postgres"}'
    oldest = 'app_pool_oldest_checkout_timestamp_seconds{pool="postgres"}'
    assert [page[used] for page in (before, one_left, exhausted, healed)] == [0, 4, 5, 0]
    assert exhausted[limit] == 5
    assert (before[queue], exhausted[queue], after[queue]) == (0, 1, 0)
    assert after[timeouts] == before[timeouts] + 1
    assert oldest not in before
    assert start <= one_left[oldest] == after[oldest] <= time.time()
    assert oldest not in healed
    assert before['app_pool_connections_max{pool="redis"}'] > 0
    assert {
        'app_pool_connections{pool="redis",state="idle"}',
        'app_pool_connections{pool="redis",state="used"}',
    } <= set(before)


async def test_caches_and_the_queue_tell_of_themselves(shop, web):
    await web.call("POST", "/hooks/cache-clear")
    before = await web.metrics()
    for _ in range(3):
        await web.call("GET", "/items")
    await web.call("POST", "/faults/memory-leak?mb_per_s=100&limit_mb=3")
    await asyncio.sleep(0.4)
    after = await web.metrics()
    with shop.run("worker") as worker:
        await worker.wait_healthy()
        await order_until_done(web)
        queue = await worker.metrics()

    def gained(name):
        return after[name] - before[name]

    assert (gained('app_cache_misses_total{cache="items"}'), gained('app_cache_hits_total{cache="items"}')) == (1, 2)
    assert gained('app_cache_entries{cache="local"}') == 3
    assert queue['app_queue_processed_total{queue="orders"}'] >= 1
    assert queue['app_queue_length{queue="orders"}'] == 0
    assert 'app_queue_oldest_timestamp_seconds{queue="orders"}' not in queue


async def test_metrics_are_served_while_the_stores_are_down(shop, web, worker):
    shop.stop_stores()
    try:
        of_web, of_worker = await web.metrics(), await worker.metrics()
    finally:
        shop.start_stores()

    assert 'app_pool_connections{pool="postgres",state="used"}' in of_web
    assert 'app_queue_processed_total{queue="orders"}' in of_worker
    assert 'app_queue_length{queue="orders"}' not in of_worker
    await web.wait_healthy()


async def test_gc_collects(web):
    status, done = await web.call("POST", "/hooks/gc")

    assert status == 200
    assert done["collected"] >= 0


async def test_heap_tells_what_has_grown_since_it_was_asked_before(web):
    await web.call("POST", "/hooks/heap")
    await web.call("POST", "/faults/memory-leak?mb_per_s=200&limit_mb=30")
    await asyncio.sleep(0.6)
    status, told = await web.call("POST", "/hooks/heap")

    assert status == 200
    assert told["unit"] == "objects by type"
    assert 0.6 <= told["seconds_since_last_time"] < 5
    assert "+30 mmap" in told["grown"]
    assert len(told["most"]) == 20
    counts = [int(line.split()[0]) for line in told["most"]]
    assert counts == sorted(counts, reverse=True)


async def test_heap_tells_lines_of_code_where_python_traces_them(shop):
    with shop.run("web", SHOP_FAULTS="1", SHOP_REQUEST_LOG=os.devnull, PYTHONTRACEMALLOC="1") as web:
        _, first = await web.call("POST", "/hooks/heap")
        await web.call("POST", "/faults/fd-leak?per_s=500")
        await asyncio.sleep(0.5)
        _, told = await web.call("POST", "/hooks/heap")

    assert (first["unit"], first["seconds_since_last_time"], first["grown"]) == ("bytes by line of code", None, [])
    assert len(first["most"]) == 20
    assert any("leaks.py:" in line for line in told["grown"])


async def test_reset_connections_heals_leaked_connections(web):
    _, leaked = await web.call("POST", "/faults/connection-leak")
    sick, health = await web.call("GET", "/health")
    status, done = await web.call("POST", "/hooks/reset-connections")
    well, _ = await web.call("GET", "/health")

    assert leaked["leaked"] == 5
    assert sick == 503
    assert health["reasons"] == {"database": "no connection or no answer within 1 s"}
    assert status == 200
    assert done == {"closed": 5, "leaked": 5, "reasons": {}}
    assert well == 200


async def test_degraded_it_answers_from_memory_and_says_so(web):
    await web.call("GET", "/items")
    await web.call("POST", "/hooks/cache-clear")
    before = await web.metrics()
    status, answer = await web.call("POST", "/hooks/degrade", {"lease_seconds": 60})
    await web.call("POST", "/faults/connection-leak")
    degraded, items = await web.call("GET", "/items")
    _, health = await web.call("GET", "/health")
    during = await web.metrics()
    ended, end = await web.call("DELETE", "/hooks/degrade")
    normal, _ = await web.call("GET", "/items")

    assert (status, answer) == (200, {"lease_seconds": 60})
    assert (degraded, [item["name"] for item in items]) == (200, ["kettle", "lamp", "chair"])
    assert health["degraded"] is True
    assert (before["app_degraded{}"], during["app_degraded{}"]) == (0, 1)
    answers = 'app_degraded_answers_total{what="items"}'
    assert during[answers] - before[answers] == 1
    assert (ended, end) == (200, {"was_degraded": True})
    assert normal == 503  # again with the pool, which is exhausted
    assert (await web.call("GET", "/health"))[1]["degraded"] is False


async def test_a_degradation_ends_by_itself_unless_it_is_asked_for_again(web):
    async def is_degraded():
        return (await web.call("GET", "/health"))[1]["degraded"]

    await web.call("POST", "/hooks/degrade", {"lease_seconds": 0.4})
    asked = await is_degraded()
    await asyncio.sleep(0.2)
    await web.call("POST", "/hooks/degrade", {"lease_seconds": 0.4})
    await asyncio.sleep(0.3)
    renewed = await is_degraded()
    await asyncio.sleep(0.2)
    silent = await is_degraded()

    assert (asked, renewed, silent) == (True, True, False)
    assert await web.call("DELETE", "/hooks/degrade") == (200, {"was_degraded": False})


@pytest.mark.parametrize("body", [None, {}, {"lease_seconds": 0}, {"lease_seconds": True}, {"lease_seconds": 1e9}])
async def test_a_degradation_without_a_sensible_end_is_refused(web, body):
    status, answer = await web.call("POST", "/hooks/degrade", body)

    assert (status, answer) == (400, {"error": "lease_seconds: must be a number above 0, at most 3600"})
    assert (await web.call("GET", "/health"))[1]["degraded"] is False


async def test_hang_answers_and_then_nothing_does_sigterm_included(doomed_web):
    assert (await doomed_web.call("POST", "/faults/hang"))[0] == 200
    await asyncio.sleep(0.2)

    for path in ("/", "/health"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await doomed_web.call("GET", path)
    doomed_web.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        doomed_web.process.wait(timeout=1)


async def test_crash_answers_and_then_the_process_is_gone(doomed_web):
    assert (await doomed_web.call("POST", "/faults/crash"))[0] == 200

    assert doomed_web.process.wait(timeout=2) == 1


async def test_fd_leak_ends_in_no_answer_at_all(doomed_web):
    resource.prlimit(doomed_web.process.pid, resource.RLIMIT_NOFILE, (40, 40))
    await doomed_web.call("POST", "/faults/fd-leak", {"per_s": 500})
    await asyncio.sleep(0.4)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await doomed_web.call("GET", "/")


async def test_a_leak_of_memory_outside_the_cache_is_not_cleared_with_it(web):
    before = web.rss()
    await web.call("POST", "/faults/memory-leak?mb_per_s=200&limit_mb=30&where=heap")
    await asyncio.sleep(0.6)
    _, done = await web.call("POST", "/hooks/cache-clear")
    leaked = web.rss() - before
    await web.call("POST", "/faults/reset")
    await asyncio.sleep(0.1)

    assert done["local_entries"] == 0
    assert leaked > 25 * MIB
    assert web.rss() - before < 15 * MIB


async def test_threads_leak_at_their_rate_up_to_their_limit_and_the_process_still_ends(doomed_web):
    process = psutil.Process(doomed_web.process.pid)
    before = process.num_threads()
    await doomed_web.call("POST", "/faults/thread-leak", {"per_s": 100, "limit": 20})
    await asyncio.sleep(0.6)
    leaked = process.num_threads() - before
    healthy, _ = await doomed_web.call("GET", "/health")
    status, seconds = doomed_web.stop()

    assert leaked == 20
    assert healthy == 200
    assert (status, seconds < 2) == (0, True)


async def test_reset_ends_leaked_threads(web):
    process = psutil.Process(web.process.pid)
    before = process.num_threads()
    await web.call("POST", "/faults/thread-leak", {"per_s": 100, "limit": 5})
    await asyncio.sleep(0.4)
    leaked = process.num_threads() - before
    await web.call("POST", "/faults/reset")
    await asyncio.sleep(0.1)

    assert leaked == 5
    assert process.num_threads() == before


async def test_a_slow_leak_leaks_whole_units_of_fractions(web):
    process = psutil.Process(web.process.pid)
    before = process.num_fds()
    await web.call("POST", "/faults/fd-leak?per_s=2.5")
    await asyncio.sleep(1.3)
    leaked = process.num_fds() - before

    assert 2 <= leaked <= 4


async def test_connections_leak_one_by_one_and_a_reset_of_connections_heals(web):
    async def used():
        return (await web.metrics())['app_pool_connections{pool="postgres",state="used"}']

    _, begun = await web.call("POST", "/faults/connection-leak?per_s=10&count=3")
    await asyncio.sleep(0.15)
    early = await used()
    await asyncio.sleep(0.6)
    late = await used()
    healthy, _ = await web.call("GET", "/health")
    _, done = await web.call("POST", "/hooks/reset-connections")

    assert begun["leaked"] == 0
    assert (early < 3, late) == (True, 3)
    assert healthy == 200
    assert done["leaked"] == 3
    assert await used() == 0


async def test_error_rate_and_slow_hit_requests_until_reset(web):
    await web.call("POST", "/faults/error-rate", {"share": 1})
    await web.call("POST", "/faults/slow?seconds=0.3")

    start = time.monotonic()
    status, _ = await web.call("GET", "/health")
    seconds = time.monotonic() - start
    await web.call("POST", "/faults/reset")

    assert status == 500
    assert seconds >= 0.3
    assert (await web.call("GET", "/health"))[0] == 200


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("error-rate?share=2", "share: must be a number from 0 to 1"),
        ("thread-leak?per_s=-1", "per_s: must be a number from 0 to inf"),
        ("memory-leak?where=stack", "where: must be cache or heap"),
    ],
)
async def test_a_fault_with_a_bad_parameter_names_it(web, fault, message):
    status, answer = await web.call("POST", f"/faults/{fault}")

    assert status == 400
    assert answer == {"error": message}


async def test_sigterm_is_fast_with_leaked_connections_and_a_request_in_flight(doomed_web):
    await doomed_web.call("POST", "/faults/connection-leak")
    await doomed_web.call("POST", "/faults/slow?seconds=30")
    in_flight = asyncio.create_task(doomed_web.call("GET", "/"))
    await asyncio.sleep(0.2)

    status, seconds = doomed_web.stop()

    assert status == 0
    assert seconds < 2
    with pytest.raises(aiohttp.ClientError):
        await in_flight


async def test_without_the_switch_there_are_no_faults_and_each_request_is_one_line(shop, tmp_path):
    log = tmp_path / "requests.jsonl"
    start = time.time()

    with shop.run("web", SHOP_REQUEST_LOG=str(log), SHOP_FAULTS="0") as web:
        statuses = [(await web.call("POST", f"/faults/{name}"))[0] for name in FAULTS]
        await web.call("GET", "/items")

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert statuses == [404] * len(FAULTS)
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        *(("POST", f"/faults/{name}", 404) for name in FAULTS),
        ("GET", "/items", 200),
    ]
    assert all(start - 1 <= line["ts"] <= time.time() and 0 <= line["ms"] < 5000 for line in lines)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"SHOP_DATABASE_URL": "", "SHOP_PORT": ""}, "environment: set SHOP_DATABASE_URL (such as postgresql://"),
        ({"SHOP_PORT": "http"}, "environment: SHOP_PORT='http' is not a port (1 to 65535)"),
        ({"SHOP_FAULTS": "yes"}, "environment: SHOP_FAULTS='yes' is not allowed (1, 0 or empty)"),
    ],
)
def test_a_bad_environment_is_named(environ, message):
    base = Shop(Path(), 1, 2).environ(3)

    ended = subprocess.run(
        [sys.executable, "-m", "shop.web"],
        cwd=SHOP,
        env={**base, **environ},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"shop: {message}")


def test_postgres_ends_with_its_script_even_when_that_is_killed(shop):
    with ExitStack() as stack:
        script = shop.stores["postgres"]
        (postgres,) = psutil.Process(script.pid).children()
        stack.callback(shop.start_stores)
        stack.callback(shop.stop_stores)

        script.kill()

        script.wait()
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and is_alive(postgres):
            time.sleep(0.05)
        assert not is_alive(postgres)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
