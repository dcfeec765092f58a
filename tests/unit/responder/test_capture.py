"""Evidence before a hard step: all that is there within its time and size, and why the rest is not."""

import asyncio
import dataclasses
import json
import os
import time

import pytest
from fakes.capturing import FakeEngine, target, timed, tools
from fakes.clock import FakeClock
from fakes.containers import container
from fakes.guardian import FakeGuardian
from hypothesis import given
from hypothesis import strategies as st

from homeostat.containerinfo import HealthCheck
from homeostat.errors import Permanent, Unreachable
from homeostat.guardian_client import GuardianClient
from responder.capture import CaptureBounds, capture
from responder.capture.assemble import assemble
from responder.capture.base import Section
from responder.capture.fit import fit, newest, size
from responder.capture.sources import SOURCES

WEB = container()
BOUNDS = CaptureBounds()
QUICK = CaptureBounds(seconds=0.4)
SOURCE_NAMES = ["state", "health", "processes", "memory", "sockets", "logs"]


async def of_web(engine, folder, bounds=BOUNDS, **changes):
    """The capture, and what it found of the container."""
    evidence = await capture(target(WEB), tools(engine, folder, **changes), bounds)
    return evidence, evidence["subjects"]["shop-web-1"]


async def test_everything_is_asked_and_told(tmp_path):
    engine = FakeEngine(changes={"exit_code": 137, "restart_count": 2}, log="1 ready\n2 dial: connection refused\n")
    evidence, web = await of_web(engine, tmp_path)

    assert list(web) == SOURCE_NAMES
    assert web["state"] | {"exit_code": 137, "restart_count": 2, "image_digests": ["shop@sha256:abc"]} == web["state"]
    assert web["health"]["checks"] == [{"ended_at": "1970-01-01T00:00:01.000Z", "exit_code": 1, "output": "bad"}]
    assert web["processes"]["worst"][0]["name"] == "python"
    assert web["memory"]["cgroup"] | {"usage_bytes": 5, "anon_bytes": 3} == web["memory"]["cgroup"]
    assert "not seen from here" in web["sockets"]["not_there"]
    assert web["logs"] == "1 ready\n2 dial: connection refused"
    assert evidence["causes"] == [{"cause": "connection_refused", "count": 1, "line": "2 dial: connection refused"}]
    assert json.loads(json.dumps(evidence)) == evidence


@pytest.mark.parametrize(
    ("method", "lost"),
    [("details", "state"), ("details", "health"), ("top", "processes"), ("logs", "logs")],
)
@pytest.mark.parametrize(
    "problem", [Unreachable("it sleeps"), Permanent("it sleeps"), RuntimeError("it sleeps"), OSError("it sleeps")]
)
async def test_a_source_that_fails_says_why_and_costs_no_other(tmp_path, method, lost, problem):
    _, web = await of_web(FakeEngine(problems={method: problem}), tmp_path)

    assert "it sleeps" in web[lost]["not_there"]
    assert "not_there" not in web["processes" if method == "details" else "state"]


async def test_figures_that_neither_the_kernel_nor_the_engine_tells_are_missed(tmp_path):
    _, web = await of_web(FakeEngine(problems={"stats": Unreachable("it sleeps")}), tmp_path)

    assert web["memory"]["cgroup"] == {"not_there": "it sleeps"}
    assert "not seen from here" in web["memory"]["process"]["not_there"]


async def test_an_image_that_is_gone_costs_only_its_digests(tmp_path):
    _, web = await of_web(FakeEngine(problems={"image_digests": Permanent("no such image")}), tmp_path)

    assert web["state"]["image_digests"] == {"not_there": "no such image"}
    assert web["state"]["status"] == "running"


@pytest.mark.parametrize("slow", [{"top"}, {"logs"}, {"details"}, {"details", "top", "logs", "stats", "image_digests"}])
async def test_what_is_late_is_missed_and_the_rest_is_kept(tmp_path, slow):
    with timed(0.3, 0.6):
        _, web = await of_web(FakeEngine(slow=frozenset(slow)), tmp_path, QUICK)

    late = {"not_there": "not within 0.4 s"}
    assert (web["processes"] == late) == ("top" in slow)
    assert (web["logs"] == late) == ("logs" in slow)
    assert (web["state"] == late) == ("details" in slow)


async def test_a_file_that_is_never_read_to_its_end_costs_no_more_than_the_bound(tmp_path):
    folder = tmp_path / "proc" / "1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "cgroup")  # whoever opens it waits, as for a process that is stuck in the kernel
    with timed(0.3, 0.6):
        _, web = await of_web(FakeEngine(), tmp_path, QUICK)
    os.close(os.open(folder / "cgroup", os.O_WRONLY | os.O_NONBLOCK))  # the threads are let go

    assert (web["memory"], web["sockets"]) == ({"not_there": "not within 0.4 s"},) * 2
    assert web["logs"] == "2026-11-24T06:35:23Z ready"


async def test_a_defect_in_putting_it_together_costs_the_evidence_and_not_the_repair(tmp_path):
    def secrets():
        raise RuntimeError("token=hunter2x")

    evidence = await capture(target(WEB), tools(FakeEngine(), tmp_path, secrets=secrets), BOUNDS)

    assert evidence["not_there"] == "unexpected RuntimeError"
    assert set(evidence) == {"seconds", "not_there"}


async def test_putting_it_together_is_within_the_time_too(tmp_path):
    def secrets():
        time.sleep(0.1)
        return ()

    with timed(0.0, 0.15):
        evidence = await capture(
            target(WEB), tools(FakeEngine(), tmp_path, secrets=secrets), CaptureBounds(seconds=0.05)
        )
    assert evidence["not_there"] == "not within 0.05 s"


async def test_who_cancels_is_obeyed(tmp_path):
    task = asyncio.create_task(capture(target(WEB), tools(FakeEngine(slow=frozenset({"logs"})), tmp_path), BOUNDS))
    await asyncio.sleep(0.05)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_without_an_engine_there_is_nothing_and_it_is_said(tmp_path):
    _, web = await of_web(None, tmp_path)

    assert web["logs"] == {"not_there": "no container engine is configured"}


async def test_the_time_it_took_is_the_clocks(tmp_path):
    evidence = await capture(target(WEB), tools(FakeEngine(), tmp_path, clock=FakeClock()), BOUNDS)

    assert evidence["seconds"] == 0.0


async def test_secrets_of_the_environment_and_of_files_do_not_leave(tmp_path):
    engine = FakeEngine(
        environment={"API_TOKEN": "from-the-env-7", "MODE": "production"},
        log="using from-the-env-7 and webhook-token-1 in production\npassword=hunter2x\n",
        checks=(HealthCheck(1.0, 1, "curl -H 'Authorization: Bearer hunter3x' failed"),),
        problems={"top": RuntimeError("refused from-the-env-7 token=hunter4x")},
    )
    evidence, web = await of_web(engine, tmp_path, secrets=lambda: [b"webhook-token-1\n"])
    told = json.dumps(evidence)

    assert not [s for s in ("from-the-env", "webhook-token", "hunter2x", "hunter3x", "hunter4x") if s in told]
    assert web["logs"].startswith("using [redacted] and [redacted] in production\n")


async def test_an_oom_kill_that_no_log_tells_is_a_cause(tmp_path):
    evidence, _ = await of_web(FakeEngine(changes={"oom_killed": True}), tmp_path)

    assert [(found["cause"], found["count"]) for found in evidence["causes"]] == [("oom", 1)]


async def test_our_own_trouble_is_no_cause_of_the_workloads(tmp_path):
    problem = Unreachable("no Docker Engine answers: Connection refused, permission denied")
    evidence, _ = await of_web(FakeEngine(problems=dict.fromkeys(("details", "top", "logs"), problem)), tmp_path)

    assert evidence["causes"] == []


async def test_of_many_containers_those_that_look_worst_are_examined(tmp_path):
    fine = [container(f"web-{number}") for number in range(6)]
    sick = [
        dataclasses.replace(container("web-6"), health="unhealthy"),
        dataclasses.replace(container("web-7"), status="exited", pid=0),
    ]
    engine = FakeEngine(known={each.id: each for each in (*fine, *sick)}, log="x" * 80 + "\n")
    evidence = await capture(target(*fine, *sick), tools(engine, tmp_path), BOUNDS)

    assert list(evidence["subjects"])[:2] == ["web-7", "web-6"]
    assert len(evidence["subjects"]) == 4
    assert engine.asked.count("logs") == 4


async def test_a_supervised_process_is_known_from_its_guardian_and_its_file(tmp_path):
    guardian = FakeGuardian("api")
    guardian.processes["api"].restarts = 3
    await guardian.start(tmp_path / "guardian.sock")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text("OSError: [Errno 28] No space left on device\ntoken=hunter2x\n")
    evidence = await capture(target(process="api"), tools(None, tmp_path), BOUNDS)
    await guardian.stop()

    api = evidence["subjects"]["api"]
    assert api["logs"] == "OSError: [Errno 28] No space left on device\ntoken=[redacted]"
    assert (api["state"]["restart_count"], api["state"]["open_fds"]) == (3, 3)
    assert [found["cause"] for found in evidence["causes"]] == ["disk_full"]
    assert "no " in api["processes"]["not_there"]


async def test_without_a_guardian_the_log_is_still_there(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text("last words\n")
    given_ = tools(None, tmp_path, guardian=GuardianClient(tmp_path / "nobody.sock"))
    evidence = await capture(target(process="api"), given_, BOUNDS)

    assert evidence["subjects"]["api"]["logs"] == "last words"
    assert "no guardian answers" in evidence["subjects"]["api"]["state"]["not_there"]


async def test_of_a_long_log_the_end_is_kept_and_what_is_cut_is_said(tmp_path):
    log = "".join(f"2026-11-24 line {number} {'x' * 60}\n" for number in range(3000))
    evidence, web = await of_web(FakeEngine(log=log), tmp_path)
    first, *rest = web["logs"].split("\n")

    assert 30 * 1024 < len(json.dumps(evidence)) <= BOUNDS.bytes
    assert first.startswith("[cut: 2")
    assert rest == log.rstrip("\n").split("\n")[-len(rest) :]


TEXTS = st.text(st.sampled_from('aé"\\\n\x00 \U0001f600x='), max_size=3000)
DATA = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=6),
    max_leaves=20,
)


@given(
    names=st.lists(st.text("abc-", min_size=1, max_size=30), unique=True, max_size=4),
    data=st.dictionaries(st.sampled_from(SOURCE_NAMES[:-1]), DATA.map(Section) | TEXTS, max_size=5),
    log=st.one_of(TEXTS.map(Section), TEXTS),
    bound=st.integers(100, 40_000),
)
def test_evidence_is_never_larger_than_its_bound(names, data, log, bound):
    found = {name: {**data, "logs": log} for name in names}
    evidence = assemble(found, SOURCES, (), CaptureBounds(bytes=bound))

    assert len(json.dumps(evidence)) <= bound
    assert bound < 20_000 or "not_there" not in evidence


@given(value=DATA, most=st.integers(60, 3000))
def test_what_is_fitted_fits_and_what_fits_is_left_alone(value, most):
    fitted = fit(value, most)

    assert size(fitted) <= most
    if size(value) <= most:
        assert fitted == value


@given(text=TEXTS, most=st.integers(200, 3000))
def test_the_newest_lines_that_fit_are_kept(text, most):
    kept = newest(text, most)
    lines = kept.split("\n")

    assert size(kept) <= most
    if lines[0].startswith("[cut: "):
        ends = [line[:1500] for line in text.rstrip("\n").split("\n")]
        assert [line.removesuffix("...")[:1500] for line in lines[1:]] == ends[len(ends) - len(lines) + 1 :]
