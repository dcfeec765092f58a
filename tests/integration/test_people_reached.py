"""`homeostat escalate --test` with a real Alertmanager: reached, refused, failing, muted and forgotten people."""

import asyncio
import itertools
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from fakes.stack import TOKEN, Site, eventually, pick_port

from homeostat import names
from homeostat.clock import SystemClock
from homeostat.errors import Permanent, Unreachable
from homeostat.quantities import host_port
from responder import escalationtest
from responder.app import Parts
from responder.escalationtest import Outcome, Surroundings, Verdict, last_success, run_test
from responder.webhook import is_authorised

pytestmark = pytest.mark.servers

HOMEOSTAT = Path(sys.executable).parent / "homeostat"
WAIT_S = 5
#: What is to be repaired is only recorded: nobody is called but by the test.
SETTINGS = {
    "processes": {"api": {"command": ["api"]}},
    "workloads": {"local/api": {"enable": True}},
    "ladders": {"down": {"steps": [], "escalate": False}},
    "responder": {"reconcile_interval": "1h"},
}


@dataclass
class People:
    """What people's messages arrive at. ``status``: what it answers."""

    url: str = ""
    status: int = 200
    messages: list[dict[str, object]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.messages.append(await request.json())
        return web.Response(status=self.status)

    @property
    def firing(self) -> list[dict[str, object]]:
        return [alert for message in self.messages for alert in message["alerts"] if alert["status"] == "firing"]


@asynccontextmanager
async def served(listen: str, *routes: web.RouteDef) -> AsyncIterator[None]:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, *host_port(listen)).start()
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def people() -> AsyncIterator[People]:
    listen = f"127.0.0.1:{pick_port()}"
    found = People(f"http://{listen}/")
    async with served(listen, web.post("/", found.take)):
        yield found


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with aiohttp.ClientSession() as session:
        yield Site(tmp_path / "site", session, dict(SETTINGS))


@pytest.fixture
async def parts(site: Site) -> AsyncIterator[Parts]:
    async with site.responder() as parts:
        yield parts


@pytest.fixture
def alertmanager(site: Site, servers: dict[str, Path]) -> Callable[..., object]:
    """The real one, whose receiver `people` sends by what is given, with the shipped routes; ``more`` receivers."""

    @asynccontextmanager
    async def start(
        *more: dict[str, object], flags: Sequence[str] = (), group_interval: str = "", **by: object
    ) -> AsyncIterator[None]:
        server = site.alertmanager(servers["alertmanager"])
        path = site.settings.state_dir / "run/alertmanager/alertmanager.yml"
        config = yaml.safe_load(path.read_text())
        next(each for each in config["receivers"] if each["name"] == "people").update(by)
        config["receivers"] += more
        if group_interval:
            config["route"]["routes"][0]["group_interval"] = group_interval
        path.write_text(yaml.safe_dump(config))
        server.command = [*server.command, *flags]
        async with server:
            yield

    return start


def hook(url: str) -> list[dict[str, object]]:
    return [{"url": url, "send_resolved": True}]


@pytest.fixture
def around(site: Site, parts: Parts) -> Surroundings:
    return Surroundings(
        alertmanager_url=site.alertmanager_url,
        session=site.session,
        clock=SystemClock(),
        state_dir=site.settings.state_dir,
        deliveries=lambda: escalationtest.total(parts.metrics.deliveries),
        succeeded=[].append,
    )


# --- What a test finds


async def test_people_who_are_reached_are_reported_and_remembered(
    around: Surroundings, site: Site, people: People, alertmanager
):
    assert last_success(around.state_dir) == 0.0
    async with alertmanager(webhook_configs=hook(people.url)):
        start = time.time()

        outcome = await run_test(around, WAIT_S)

    assert (outcome.verdict, outcome.receivers, outcome.reached) == (Verdict.REACHED, ("people",), ("webhook",))
    assert (outcome.failed, outcome.unseen, outcome.notes) == ({}, (), ())
    assert start <= outcome.at <= time.time()
    [alert] = people.firing
    assert alert["labels"]["alertname"] == names.ALERT_ESCALATION_TEST
    assert "Nothing is wrong" in alert["annotations"]["description"]
    assert last_success(around.state_dir) == pytest.approx(outcome.at, abs=0.001)
    assert await site.recoveries() == []


async def test_a_second_test_reaches_people_again(around: Surroundings, people: People, alertmanager):
    """Soon after the first, when Alertmanager could take it for the same alert, or let it wait for its group."""
    async with alertmanager(webhook_configs=hook(people.url), group_interval="3s"):
        await run_test(around, WAIT_S)
        outcome = await run_test(around, 10)

    assert outcome.verdict is Verdict.REACHED
    assert len({alert["labels"]["test"] for alert in people.firing}) == 2


async def test_a_test_goes_the_way_of_an_escalation(around: Surroundings, site: Site, people: People, alertmanager):
    async with alertmanager(webhook_configs=hook(people.url)):
        await site.fire(alertname=names.ALERT_ESCALATION, workload="", remedy="", severity="critical")
        await run_test(around, WAIT_S)

    # ROUTE:{LABELS OF THE GROUP}
    ways = {
        message["commonLabels"]["alertname"]: message["groupKey"].rpartition(":{")[0] for message in people.messages
    }
    assert set(ways) == {names.ALERT_ESCALATION, names.ALERT_ESCALATION_TEST}
    assert len(set(ways.values())) == 1
    assert {alert["labels"]["severity"] for alert in people.firing} == {"critical"}


async def test_the_test_alert_ends_with_the_test(around: Surroundings, site: Site, people: People, alertmanager):
    async with alertmanager(webhook_configs=hook(people.url)):
        await run_test(around, WAIT_S)

        async def is_over() -> bool:
            return not await site.alertmanager_alerts(names.ALERT_ESCALATION_TEST)

        await eventually(is_over, within_s=3)


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "clientError"), (500, "requests failed, still trying")], ids=["refuses", "fails"]
)
async def test_a_message_that_is_not_taken_is_not_taken_for_one_that_arrived(
    around: Surroundings, people: People, alertmanager, status: int, reason: str
):
    people.status = status
    async with alertmanager(webhook_configs=hook(people.url)):
        start = time.monotonic()

        outcome = await run_test(around, 3)

    assert outcome.verdict is Verdict.FAILED
    assert outcome.reached == ()
    assert reason in outcome.failed["webhook"]
    assert people.firing
    assert last_success(around.state_dir) == 0.0
    if status == 400:  # it does not try again, so there is nothing to wait for
        assert time.monotonic() - start < 2.5


async def test_a_failed_test_keeps_the_time_of_the_last_good_one(around: Surroundings, people: People, alertmanager):
    async with alertmanager(webhook_configs=hook(people.url)):
        first = await run_test(around, WAIT_S)
    people.status = 500
    async with alertmanager(webhook_configs=hook(people.url)):
        await run_test(around, 2)

    assert last_success(around.state_dir) == pytest.approx(first.at, abs=0.001)


async def test_without_a_receiver_nobody_is_reached_and_nothing_is_waited_for(around: Surroundings, alertmanager):
    async with alertmanager():
        start = time.monotonic()

        outcome = await run_test(around, 60)

    assert (outcome.verdict, outcome.receivers) == (Verdict.NOBODY, ("people",))
    assert time.monotonic() - start < 5
    assert last_success(around.state_dir) == 0.0


@asynccontextmanager
async def noise(site: Site, every_s: float) -> AsyncIterator[None]:
    """Alerts for the responder, who only records them."""

    async def fire() -> None:
        for n in itertools.count():
            await site.fire(workload="local/api", container=f"c{n}")
            await asyncio.sleep(every_s)

    async with asyncio.TaskGroup() as group:
        firing = group.create_task(fire())
        yield
        firing.cancel()


@pytest.mark.parametrize("every_s", [0.05, 0.7])
async def test_deliveries_to_the_responder_itself_are_never_taken_for_people(
    around: Surroundings, site: Site, people: People, alertmanager, every_s: float
):
    """They go by the same integration, and Alertmanager counts them together."""
    people.status = 500
    async with alertmanager(webhook_configs=hook(people.url)), noise(site, every_s):
        outcome = await run_test(around, 4)

    assert around.deliveries() > 3
    assert outcome.verdict is not Verdict.REACHED
    assert outcome.reached == ()


async def test_people_are_seen_through_deliveries_to_the_responder(
    around: Surroundings, site: Site, people: People, alertmanager
):
    async with alertmanager(webhook_configs=hook(people.url)), noise(site, 0.7):
        outcome = await run_test(around, WAIT_S)

    assert around.deliveries() > 1
    assert [message["commonLabels"]["alertname"] for message in people.messages] == [names.ALERT_ESCALATION_TEST]
    assert outcome.verdict is Verdict.REACHED


async def test_of_several_ways_each_is_told(around: Surroundings, people: People, alertmanager):
    nowhere = f"127.0.0.1:{pick_port()}"
    email = [{"to": "a@example.org", "from": "b@example.org", "smarthost": nowhere, "require_tls": False}]
    async with alertmanager(webhook_configs=hook(people.url), email_configs=email):
        outcome = await run_test(around, 4)

    assert (outcome.verdict, outcome.reached) == (Verdict.REACHED, ("webhook",))
    assert "still trying" in outcome.failed["email"]


async def test_another_receiver_by_the_same_way_is_mentioned_unless_alertmanager_tells_them_apart(
    around: Surroundings, people: People, alertmanager
):
    other = {"name": "team-a", "webhook_configs": hook(people.url)}
    async with alertmanager(other, webhook_configs=hook(people.url)):
        mixed = await run_test(around, WAIT_S)
    async with alertmanager(
        other, webhook_configs=hook(people.url), flags=["--enable-feature=receiver-name-in-metrics"]
    ):
        apart = await run_test(around, WAIT_S)

    assert mixed.notes == ("it may have been receiver team-a, which sends by webhook, too",)
    assert apart.notes == ()
    assert mixed.verdict is apart.verdict is Verdict.REACHED


async def test_a_silence_is_found_out(around: Surroundings, site: Site, people: People, alertmanager):
    async with alertmanager(webhook_configs=hook(people.url)):
        matcher = {"name": "severity", "value": "critical", "isRegex": False, "isEqual": True}
        times = {"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2999-01-01T00:00:00Z"}
        body = {"matchers": [matcher], "createdBy": "test", "comment": "quiet", **times}
        async with site.session.post(f"{site.alertmanager_url}/api/v2/silences", json=body) as response:
            silence = (await response.json())["silenceID"]

        outcome = await run_test(around, WAIT_S)

    assert (outcome.verdict, outcome.notes) == (Verdict.MUTED, (f"muted by silence {silence}",))
    assert people.messages == []


async def test_what_cannot_be_kept_is_told(around: Surroundings, people: People, alertmanager):
    (around.state_dir / escalationtest.FILE).mkdir()
    async with alertmanager(webhook_configs=hook(people.url)):
        outcome = await run_test(around, WAIT_S)

    assert outcome.verdict is Verdict.REACHED
    assert outcome.notes == ("the time of this test cannot be kept over a restart: Is a directory",)


# --- Alertmanager is not there, or is something else


async def test_without_alertmanager_there_is_no_test(around: Surroundings):
    with pytest.raises(Unreachable, match="does not answer"):
        await run_test(around, WAIT_S)


@pytest.mark.parametrize("page", ["", "{}", "[]", '{"config": {"original": "{{{"}}', '{"config": {"original": "7"}}'])
async def test_what_is_no_alertmanager_is_named_as_such(around: Surroundings, site: Site, page: str):
    async def say(_request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="application/json")

    async with served(site.settings.stack.alertmanager, web.route("*", "/{path:.*}", say)):
        with pytest.raises(Permanent, match="does not answer as Alertmanager does"):
            await run_test(around, WAIT_S)


# --- The memory

UNREADABLE = [b"", b"\xff\xfe", b"yesterday", b"7", b"2026-01-01T00:00:00"]


@pytest.mark.parametrize("content", UNREADABLE, ids=repr)
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, content: bytes):
    (tmp_path / escalationtest.FILE).write_bytes(content)

    assert last_success(tmp_path) == 0.0


# --- The command


@asynccontextmanager
async def answering(site: Site, around: Surroundings, listen: str) -> AsyncIterator[None]:
    """The route as the responder has it."""

    async def route(request: web.Request) -> web.Response:
        if not is_authorised(request.headers.get("Authorization"), (TOKEN.encode(),)):
            return web.json_response({"error": "a valid bearer token is required"}, status=401)
        return await escalationtest.answer(request, around)

    async with served(listen, web.post("/api/v1/escalation-test", route)):
        # The command reads its settings from a file that names this address.
        site.write(responder={**site.data["responder"], "listen": listen})
        yield


async def homeostat(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [HOMEOSTAT, "escalate", "--settings", str(site.path), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture
def listen() -> str:
    return f"127.0.0.1:{pick_port()}"


async def test_the_command_says_by_what_people_were_reached(
    around: Surroundings, site: Site, people: People, alertmanager, listen: str
):
    async with alertmanager(webhook_configs=hook(people.url)), answering(site, around, listen):
        result = await homeostat(site, "--test", "--wait", "10")

    assert result.returncode == 0, result.stderr
    assert result.stdout == "reached: by webhook (receiver people)\n"


async def test_the_command_fails_when_people_are_not_reached_and_says_why(
    around: Surroundings, site: Site, people: People, alertmanager, listen: str
):
    people.status = 404
    async with alertmanager(webhook_configs=hook(people.url)), answering(site, around, listen):
        result = await homeostat(site, "--test", "--wait", "10")

    assert result.returncode == 1, result.stderr
    assert "not reached: Alertmanager could not send it (receiver people)" in result.stdout
    assert "failed: webhook: clientError" in result.stdout


async def test_the_command_fails_when_nobody_is_there(around: Surroundings, site: Site, alertmanager, listen: str):
    async with alertmanager(), answering(site, around, listen):
        result = await homeostat(site, "--test")

    assert result.returncode == 1, result.stderr
    assert "not reached: receiver people sends nowhere; fill it in" in result.stdout


async def test_servers_that_do_not_answer_are_another_exit_code(around: Surroundings, site: Site, listen: str):
    async with answering(site, around, listen):
        without_alertmanager = await homeostat(site, "--test")
    without_responder = await homeostat(site, "--test")

    assert (without_alertmanager.returncode, without_responder.returncode) == (3, 3)
    assert "Alertmanager" in without_alertmanager.stderr
    assert f"the responder at {listen} does not answer" in without_responder.stderr


async def test_the_command_shows_its_token(around: Surroundings, site: Site, listen: str):
    async with answering(site, around, listen):
        (site.folder / "secrets/webhook-token").write_text("another-token-0123456789")
        wrong = await homeostat(site, "--test")
        (site.folder / "secrets/webhook-token").unlink()
        none = await homeostat(site, "--test")

    assert (wrong.returncode, none.returncode) == (3, 3)
    assert "a valid bearer token is required" in wrong.stderr
    assert "webhook-token: run this as the user who runs homeostat" in none.stderr


@pytest.mark.parametrize("arguments", [(), ("--test", "--wait", "0"), ("--test", "--wait", "241")], ids=str)
async def test_wrong_arguments_are_told(site: Site, arguments: tuple[str, ...]):
    result = await homeostat(site, *arguments)

    assert result.returncode == 2
    assert "Traceback" not in result.stderr


# --- The route

WAITS = ["0", "241", "-1", "1.5", "x", "", "1e1", "\u0665"]


@pytest.mark.parametrize("wait", WAITS)
async def test_a_wait_out_of_bounds_is_refused(around: Surroundings, site: Site, listen: str, wait: str):
    async with answering(site, around, listen):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://{listen}/api/v1/escalation-test"
        async with site.session.post(url, params={"wait": wait}, headers=headers) as response:
            assert response.status == 400
            assert "from 1 to 240" in (await response.json())["error"]


async def test_one_test_runs_at_a_time(around: Surroundings, site: Site, people: People, alertmanager, listen: str):
    headers = {"Authorization": f"Bearer {TOKEN}"}

    async def post() -> int:
        async with site.session.post(f"http://{listen}/api/v1/escalation-test?wait=5", headers=headers) as response:
            return response.status

    async with alertmanager(webhook_configs=hook(people.url)), answering(site, around, listen):
        statuses = await asyncio.gather(*(post() for _ in range(3)))

    assert sorted(statuses) == [200, 409, 409]
    assert len(people.firing) == 1


def test_an_outcome_has_words_for_every_verdict():
    from dataclasses import asdict

    from cli.escalate import report

    for verdict in Verdict:
        lines = report(asdict(Outcome(verdict, 0.0, ("people",), notes=("a note",))), 60)
        assert lines[-1][0] == "a note"
        assert lines[0][0].startswith("reached" if verdict is Verdict.REACHED else "not reached")
