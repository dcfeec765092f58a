"""The conformance kit: homeostat passes it, receivers with known faults do not, and it says what it was not given."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest
from fakes.stack import Server, eventually, pick_port

from homeostat.rendering import ROOT
from tests.conformance.bad_receivers import BAD_RECEIVERS
from tests.conformance.for_homeostat import Ports, write
from tests.conformance.judging import Outcome, acted, acted_once, arose, first_of, kept_still, unclaimed
from tests.conformance.observations import Action, Claim, Delivery, Observations, SeenAlert
from tests.conformance.scenario import Scenario
from tests.conformance.scenarios import SCENARIOS, WORKLOADS

KIT = [sys.executable, "-m", "tests.conformance"]
#: A run takes about a minute.
LONGEST_S = 200


@dataclass(frozen=True)
class Run:
    """One run of the kit that has ended. ``found``: the last line of its output."""

    exit_code: int
    text: str
    found: Mapping[str, object]

    def verdicts(self) -> dict[str, tuple[str, str]]:
        return {name: (each["verdict"], each["reason"]) for name, each in self.found["scenarios"].items()}

    def named(self, outcome: Outcome) -> set[str]:
        return {name for name, (verdict, _) in self.verdicts().items() if verdict == outcome}

    def reasons(self) -> str:
        """What was not passed, for who reads why an assertion failed."""
        return "\n".join(f"{name}: {verdict}: {why}" for name, (verdict, why) in self.verdicts().items() if why)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="module")
def runs(servers: Mapping[str, Path], folder: Path) -> Iterator[dict[str, Run]]:
    """The kit against homeostat and against each bad receiver. At the same time: each run is mostly waiting."""
    path = os.pathsep.join((str(servers["alertmanager"].parent), os.environ["PATH"]))
    environ = {**os.environ, "PATH": path, "COLUMNS": "200"}
    with contextlib.ExitStack() as exits:
        arguments = {"homeostat": homeostat(folder / "homeostat", servers, exits)}
        arguments |= {kind: bad_receiver(kind, folder, exits) for kind in BAD_RECEIVERS}
        kits = {name: kit(each, folder / f"{name}.out", environ, exits) for name, each in arguments.items()}
        yield {name: ended(process, folder / f"{name}.out") for name, process in kits.items()}


def homeostat(folder: Path, servers: Mapping[str, Path], exits: contextlib.ExitStack) -> list[str]:
    """As the README of the kit says it."""
    ports = Ports(*(pick_port() for _ in range(5)))
    write(folder, ports)
    prometheus = [
        str(servers["prometheus"]),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{ports.prometheus}",
    ]
    settings = ["--settings", str(folder / "homeostat.yml")]
    url = f"http://127.0.0.1:{ports.responder}"
    for command, ready in (
        (prometheus, f"http://127.0.0.1:{ports.prometheus}/-/ready"),
        ([sys.executable, "-m", "guardian", *settings], f"http://127.0.0.1:{ports.guardian}/metrics"),
        ([sys.executable, "-m", "responder", *settings], f"{url}/-/ready"),
    ):
        serve(command, ready, folder / "log", exits)
    asyncio.run(eventually(lambda: is_scraping(ports)))
    return [
        f"--url={url}/webhook/alertmanager",
        f"--token-file={folder / 'webhook-token'}",
        f"--ledger-url={url}",
        f"--alertmanager-port={ports.alertmanager}",
        f"--sink-port={ports.sink}",
    ]


async def is_scraping(ports: Ports) -> bool:
    """Prometheus takes five seconds to find its targets."""
    url = f"http://127.0.0.1:{ports.prometheus}/api/v1/targets"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        targets = (await response.json())["data"]["activeTargets"]
    return any(not target["lastScrape"].startswith("0001") for target in targets)


def bad_receiver(kind: str, folder: Path, exits: contextlib.ExitStack) -> list[str]:
    port, alertmanager, sink = (pick_port() for _ in range(3))
    url = f"http://127.0.0.1:{port}"
    own = [f"--port={port}", f"--sink=http://127.0.0.1:{sink}"]
    command = [sys.executable, "-m", "tests.conformance.bad_receivers", kind, *own]
    serve(command, f"{url}/-/ready", folder / f"{kind}.log", exits)
    ledger = [f"--ledger-url={url}"] if kind == "believes" else []
    return [f"--url={url}/webhook", f"--alertmanager-port={alertmanager}", f"--sink-port={sink}", *ledger]


def serve(command: Sequence[str], ready: str, log: Path, exits: contextlib.ExitStack) -> None:
    server = Server(command, log, ready)
    exits.callback(lambda: asyncio.run(server.end()))
    asyncio.run(server.start())


def kit(
    arguments: Sequence[str], output: Path, environ: Mapping[str, str], exits: contextlib.ExitStack
) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        process = subprocess.Popen([*KIT, *arguments, "--json"], stdout=file, stderr=file, cwd=ROOT, env=environ)
    exits.callback(process.wait, 30)
    exits.callback(process.terminate)
    return process


def ended(process: subprocess.Popen[bytes], output: Path) -> Run:
    code = process.wait(LONGEST_S)
    text = output.read_text()
    last = text.splitlines()[-1]
    assert last.startswith("{"), text
    return Run(code, text, json.loads(last))


@pytest.mark.servers
@pytest.mark.timeout(LONGEST_S + 60)
async def test_homeostat_passes_every_scenario(runs: dict[str, Run]):
    run = runs["homeostat"]

    assert run.verdicts() == {scenario.name: ("pass", "") for scenario in SCENARIOS}
    assert run.exit_code == 0
    assert f"{len(SCENARIOS)} pass, 0 fail, 0 not applicable" in run.text


#: Of single alerts that are delivered once, nothing can be got wrong by acting on every delivery.
HARMLESS_INSIDE = {"mixed-group", "zero-end", "second-trouble", "no-resolved"}
#: Without a ledger and a second step there is nothing to see.
UNSEEN_INSIDE = {"silent-sender", "resolved-by-own-action", "silenced-between-rungs", "inhibited-between-rungs"}


@pytest.mark.servers
@pytest.mark.timeout(LONGEST_S + 60)
async def test_the_kit_tells_who_acts_inside_the_request(runs: dict[str, Run]):
    run = runs["acts-inside"]

    assert run.named(Outcome.PASS) == HARMLESS_INSIDE, run.reasons()
    assert run.named(Outcome.NOT_APPLICABLE) == UNSEEN_INSIDE
    assert run.exit_code == 1
    assert run.verdicts()["prompt-answer"][1].startswith("answered after 3.")


#: Where the groupKey stays and nothing is resolved, believing in them does no harm.
HARMLESS_BELIEFS = {
    "prompt-answer",
    "answer-lost",
    "repeat-interval",
    "alertmanager-killed",
    "zero-end",
    "moved-start",
    "second-trouble",
    "two-peers",
}


@pytest.mark.servers
@pytest.mark.timeout(LONGEST_S + 60)
async def test_the_kit_tells_who_believes_group_keys_and_resolved(runs: dict[str, Run]):
    run = runs["believes"]

    assert run.named(Outcome.PASS) == HARMLESS_BELIEFS, run.reasons()
    assert run.named(Outcome.NOT_APPLICABLE) == set()
    assert run.exit_code == 1
    assert "well again (self_resolved)" in run.verdicts()["silent-sender"][1]


@pytest.mark.servers
@pytest.mark.timeout(LONGEST_S + 60)
async def test_every_scenario_has_its_row_and_no_secret_is_shown(runs: dict[str, Run], folder: Path):
    token = (folder / "homeostat/webhook-token").read_text()
    for run in runs.values():
        table = [line.split("│")[1].strip() for line in run.text.splitlines() if line.startswith("│")]

        assert [name for name in table if name] == [scenario.name for scenario in SCENARIOS]
        assert token not in run.text


# --- What it was not given


def refused(*arguments: str, **environ: str) -> tuple[int, str]:
    process = subprocess.Popen(
        [*KIT, *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT, env={**os.environ, **environ}
    )
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


def test_a_missing_program_is_named_with_how_to_get_it(tmp_path: Path):
    nowhere = {"PATH": str(tmp_path), "HOMEOSTAT_BIN": str(tmp_path)}

    code, said = refused("--url", "http://127.0.0.1:1/", **nowhere)

    assert code == 3
    assert "no alertmanager program" in said
    assert "scripts/servers" in said


@pytest.mark.servers
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([], "--url is required", id="no URL"),
        pytest.param(["--url", "http://127.0.0.1:1/"], "nothing answers there", id="nobody there"),
        pytest.param(["--url", "hello"], "is no URL", id="no URL at all"),
        pytest.param(["--url", "http://127.0.0.1:1/", "--only", "nothing"], "allowed: prompt-answer", id="scenario"),
        pytest.param(["--url", "http://127.0.0.1:1/", "--token-file", "/nowhere"], "cannot be read", id="token"),
    ],
)
def test_wrong_arguments_are_named(servers: Mapping[str, Path], arguments: list[str], words: str):
    code, said = refused(*arguments, HOMEOSTAT_BIN=str(servers["alertmanager"].parent))

    assert code == 2
    assert words in said
    assert "Traceback" not in said


@pytest.mark.servers
@pytest.mark.parametrize("option", ["--sink-port", "--alertmanager-port"])
async def test_a_port_in_use_is_named(servers: Mapping[str, Path], option: str):
    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    receiver = await asyncio.start_server(answer_nothing_found, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/"
    ports = {"--sink-port": pick_port(), "--alertmanager-port": pick_port(), option: port}
    arguments = [f"{name}={value}" for name, value in ports.items()]

    code, said = await asyncio.to_thread(
        refused, f"--url={url}", *arguments, HOMEOSTAT_BIN=str(servers["alertmanager"].parent)
    )

    assert code == 2
    assert f"port {port} is in use" in said
    assert f"another {option}" in said
    taken.close()
    receiver.close()


@pytest.mark.servers
async def test_terminated_it_leaves_nothing_running(servers: Mapping[str, Path], tmp_path: Path):
    receiver = await asyncio.start_server(answer_nothing_found, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/"
    ports = [f"--sink-port={pick_port()}", f"--alertmanager-port={pick_port()}"]
    environ = {**os.environ, "HOMEOSTAT_BIN": str(servers["alertmanager"].parent), "TMPDIR": str(tmp_path)}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen([*KIT, "--url", url, *ports], stdout=out, stderr=out, cwd=ROOT, env=environ)

    async def started() -> list[psutil.Process]:
        return [child for child in psutil.Process(process.pid).children() if is_alertmanager(child)]

    try:
        [alertmanager] = await eventually(started)
        process.terminate()

        assert await asyncio.to_thread(process.wait, 20) == 3
        assert not alertmanager.is_running()
        assert list(tmp_path.glob("conformance-*")) == []
    finally:
        process.kill()
        process.wait()
        receiver.close()


def is_alertmanager(process: psutil.Process) -> bool:
    """The one that serves: others are asked for their version, and end at once."""
    try:
        return any("--config.file" in word for word in process.cmdline())
    except psutil.Error:
        return False


def test_the_list_has_every_workload_as_its_label_says_it():
    done = subprocess.Popen([*KIT, "--list"], stdout=subprocess.PIPE, cwd=ROOT)
    shown, _ = done.communicate(timeout=60)

    assert done.returncode == 0
    assert [name for name in WORKLOADS if f"local/{name} " not in shown.decode()] == []


async def answer_nothing_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def test_the_readme_tells_of_every_scenario():
    readme = (ROOT / "tests/conformance/README.md").read_text()

    assert [scenario.name for scenario in SCENARIOS if f"`{scenario.name}`" not in readme] == []


def test_names_of_workloads_are_unique():
    assert len(set(WORKLOADS)) == len(WORKLOADS)


# --- The judges


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_receiver_that_never_acts_passes_nothing(scenario: Scenario):
    # Every mark that a judge may ask for, a delivery that was accepted, and a ledger that says nothing.
    quiet = Observations(deliveries=[delivery("other")], marks=defaultdict(float), claims=())

    assert scenario.judge(quiet).outcome is Outcome.FAIL


def delivery(*workloads: str, answer: int = 202) -> Delivery:
    alerts = tuple(SeenAlert(name, "firing", "0" * 16, "", "") for name in workloads)
    return Delivery(1.0, "http://one", "{}", "firing", 0, alerts, answer, 0.01)


def seen(*at: float, **more: object) -> Observations:
    return Observations(actions=[Action(each, "w", "/act/w") for each in at], **more)


def test_acting_is_counted_between_marks():
    between = seen(1.0, 2.0, 4.0, marks={"start": 2.0, "end": 4.0})

    assert acted(between, "w", since="start", until="end") is None
    assert acted(between, "w", 3) is None
    assert kept_still(between, "w", since="start").reason == (
        "acted 2 times on w after start (at 0.0 s, 2.0 s); allowed: never"
    )
    assert acted_once(between, "w").outcome is Outcome.FAIL
    assert acted_once(between, "other").reason == "did not act on other; Alertmanager delivered nothing"


def test_a_receiver_that_refuses_is_told_so():
    refusing = Observations(deliveries=[delivery("w", answer=401), delivery("w", answer=None)])

    assert acted_once(refusing, "w").reason == "did not act on w; it answered 401 (1), no answer (1)"


def test_a_failure_is_never_hidden_by_what_did_not_arise():
    nothing = arose(None, "no second copy")
    twice = acted_once(seen(1.0, 2.0), "w")

    assert first_of(nothing, twice).outcome is Outcome.FAIL
    assert first_of(nothing, None).outcome is Outcome.NOT_APPLICABLE
    assert first_of(None, None).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("claim", "is_lie"),
    [
        (Claim(1.0, "w", 1, None, is_closed=False), False),
        (Claim(1.0, "w", 1, "escalated", is_closed=False), False),
        (Claim(1.0, "w", 1, "escalated", is_closed=True), True),
        (Claim(1.0, "w", 1, "verified", is_closed=True), True),
        (Claim(1.0, "w", 1, "self_resolved", is_closed=True), True),
        (Claim(1.0, "other", 1, "verified", is_closed=True), False),
        (Claim(3.0, "w", 1, "verified", is_closed=True), False),
    ],
)
def test_a_claim_is_held_against_the_receiver_while_the_trouble_lasts(claim: Claim, is_lie: bool):
    claims = Observations(claims=[claim], marks={"over": 2.0})

    assert (unclaimed(claims, "w", until="over") is not None) == is_lie
