"""The responder as a process: killed, out of disk, started twice. It keeps what it answered and repeats nothing."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from fakes.exporter import RULE, FakeExporter
from fakes.guardian import FakeGuardian
from fakes.stack import Server, Site, eventually, never, pick_port, wire_alert

API = {
    "processes": {"api": {"command": ["api"]}},
    "workloads": {"local/api": {"enable": True, "start_grace": "0s"}},
    "ladders": {
        "down": {"steps": [{"action": "restart", "timeout": "20s", "verify": {"within": "4s", "hold": "500ms"}}]}
    },
}


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[Server]:
    async with site.responder_process() as server:
        yield server


async def test_what_was_answered_202_is_there_after_sigkill(make_site: Callable[..., Site]):
    site = make_site()
    async with running(site) as responder:
        for n in range(10):
            assert await site.deliver(wire_alert(n, workload=f"shop/w{n}")) == 202
        responder.kill()

    async with running(site):
        assert [recovery["workload"] for recovery in await site.recoveries()] == [f"shop/w{n}" for n in range(10)]
        assert await site.deliver(*(wire_alert(n, workload=f"shop/w{n}") for n in range(10))) == 202
        assert len(await site.recoveries()) == 10


async def test_killed_in_the_middle_of_deliveries_it_has_every_one_that_it_answered(make_site: Callable[..., Site]):
    site = make_site()
    answered: set[str] = set()

    async def send(n: int) -> None:
        try:
            if await site.deliver(wire_alert(n, workload=f"shop/w{n}")) == 202:
                answered.add(f"shop/w{n}")
        except aiohttp.ClientError:
            pass

    async with running(site) as responder:
        sending = [asyncio.create_task(send(n)) for n in range(200)]
        while len(answered) < 20:
            await asyncio.sleep(0.001)
        responder.kill()
        await asyncio.gather(*sending)

    async with running(site):
        assert answered <= {recovery["workload"] for recovery in await site.recoveries()}


async def test_with_a_full_disk_nothing_is_acknowledged_and_then_it_is(make_site: Callable[..., Site]):
    """A file-size limit stands for the full disk: SQLite meets the same failing write."""
    site = make_site()
    big = {"text": "x" * 200_000}
    async with running(site) as responder:
        assert await site.deliver(wire_alert(1)) == 202
        pid = responder.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))

        for _ in range(3):
            assert await site.deliver(wire_alert(2, **big)) == 503
        assert [recovery["id"] for recovery in await site.recoveries()] == [1]
        assert await site.metric('homeostat_webhook_requests_total{code="503"}') == 3

        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
        assert await site.deliver(wire_alert(2, **big)) == 202
        assert len(await site.recoveries()) == 2
        responder.kill()
    async with running(site):
        assert len(await site.recoveries()) == 2


async def test_a_second_responder_on_the_same_state_folder_ends_and_touches_nothing(
    make_site: Callable[..., Site],
):
    site = make_site()
    async with running(site):
        await site.deliver(wire_alert())
        before = await site.recoveries()
        other = site.folder / "other.yml"
        other.write_text(site.path.read_text().replace(site.settings.responder.listen, f"127.0.0.1:{pick_port()}"))

        second = site.responder_process()
        second.command = [*second.command[:-1], str(other)]
        second.launch()
        assert await asyncio.to_thread(second.process.wait, 10) == 3
        assert "ledger" in second.log.read_text()

        after = await site.recoveries()
        assert [recovery["entries"][: len(old["entries"])] for recovery, old in zip(after, before, strict=True)] == [
            old["entries"] for old in before
        ]
        assert not [entry for entry in after[0]["entries"] if entry["kind"] in ("started", "finished")]


async def test_an_address_in_use_is_said_and_ends_the_process(make_site: Callable[..., Site]):
    site = make_site()
    host, port = site.settings.responder.listen.split(":")
    taken = await asyncio.start_server(lambda _r, w: w.close(), host, int(port))
    try:
        responder = site.responder_process()
        responder.launch()
        assert await asyncio.to_thread(responder.process.wait, 10) == 3
        assert f"cannot listen on {site.settings.responder.listen}" in responder.log.read_text()
    finally:
        taken.close()


@pytest.mark.parametrize("what", ["settings", "token"])
async def test_wrong_settings_are_said_and_end_the_process(make_site: Callable[..., Site], what: str):
    site = make_site()
    if what == "settings":
        site.path.write_text("respondr: {}\n")
    else:
        (site.folder / "secrets/webhook-token").write_text("short")
    responder = site.responder_process()

    responder.launch()

    assert await asyncio.to_thread(responder.process.wait, 10) == 2
    said = responder.log.read_text()
    assert "Traceback" not in said
    assert ("respondr: unknown key" if what == "settings" else "shorter than 16 bytes") in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ends_cleanly_when_asked(make_site: Callable[..., Site], number: signal.Signals):
    site = make_site()
    async with running(site) as responder:
        await site.deliver(wire_alert(workload="shop/x"), wire_alert(2, workload="shop/y"))
        responder.process.send_signal(number)

        assert await asyncio.to_thread(responder.process.wait, 10) == 0

    said = responder.log.read_text()
    assert "Traceback" not in said
    assert "service.ended" in said


# --- In the middle of a repair


@pytest.fixture
async def guardian(make_site: Callable[..., Site]) -> AsyncIterator[FakeGuardian]:
    guardian = FakeGuardian("api")
    yield guardian
    await guardian.stop()


@pytest.mark.servers
async def test_killed_while_acting_it_does_not_act_again(
    make_site: Callable[..., Site], guardian: FakeGuardian, servers: dict[str, Path]
):
    """Prometheus dies with it, so there is no evidence: whatever became of the step, nobody may claim a recovery."""
    site = make_site(**API)
    guardian.may_restart.clear()
    await guardian.start(site.control_socket)
    exporter = FakeExporter()
    exporter.is_sick = True
    await exporter.start(site.settings.exporter.listen)
    rule = {**RULE, "labels": {"severity": "critical", "remedy": "down"}}
    prometheus = site.prometheus(servers["prometheus"], [rule])
    async with site.alertmanager(servers["alertmanager"]):
        async with prometheus, running(site) as responder:

            async def is_restarting() -> bool:
                return bool(guardian.calls)

            await eventually(is_restarting, within_s=20)
            responder.kill()
            prometheus.kill()
        await exporter.stop()

        async with running(site):

            async def is_taken_up() -> bool:
                [recovery] = await site.recoveries()
                return any(entry["kind"] == "finished" for entry in recovery["entries"])

            await eventually(is_taken_up)

            async def is_done_again_or_claimed() -> bool:
                return guardian.calls != ["api"] or await site.finals() != [None]

            await never(is_done_again_or_claimed, 2.0)
            [recovery] = await site.recoveries()
            assert [entry["status"] for entry in recovery["entries"] if entry["kind"] == "finished"] == ["interrupted"]
