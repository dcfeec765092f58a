"""The action ``restart_unit`` with a program in systemctl's place: what it is asked, what is made of its answers."""

import os
from pathlib import Path

import pytest
from fakes.acting import act, containers_of

from homeostat.errors import NotFound, NotSupported, Permanent, Temporary
from homeostat.steps import RestartUnitStep
from responder.actions.base import Applied, Skipped
from responder.actions.restart_unit import RestartUnit

STEP = RestartUnitStep(action="restart_unit", unit="nginx.service", timeout=10.0)
#: Answers by its first word, and notes how it was called.
SYSTEMCTL = """#!/bin/sh
folder={folder}
printf '%s\\n' "$*" >> "$folder/calls"
cat "$folder/$1.out"
exec sh "$folder/$1.sh"
"""


class Systemd:
    """``folder`` is on PATH, and is what says that systemd runs here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "systemctl"
        program.write_text(SYSTEMCTL.format(folder=folder))
        program.chmod(0o755)
        self.answers("show", "LoadState=loaded\nActiveState=failed\n")
        self.answers("restart", "")

    def answers(self, word: str, text: str, then: str = "exit 0") -> None:
        (self.folder / f"{word}.out").write_text(text)
        (self.folder / f"{word}.sh").write_text(then)

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    async def act(self, step: RestartUnitStep = STEP) -> Applied | Skipped:
        return await act(RestartUnit(self.folder), step, containers_of())


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Systemd(tmp_path)


SHOW = "show --property=LoadState,ActiveState nginx.service"


@pytest.mark.parametrize("state", ["failed", "active", "activating"])
async def test_a_unit_that_somebody_wants_to_run_is_restarted_once(systemd: Systemd, state: str):
    systemd.answers("show", f"LoadState=loaded\nActiveState={state}\n")

    assert await systemd.act() == Applied(f"restarted nginx.service, which was {state}")
    assert systemd.calls == [SHOW, "restart --no-ask-password nginx.service"]


@pytest.mark.parametrize("state", ["inactive", "deactivating"])
async def test_a_unit_that_somebody_stopped_stays_stopped(systemd: Systemd, state: str):
    systemd.answers("show", f"LoadState=loaded\nActiveState={state}\n")

    skipped = await systemd.act()

    assert skipped == Skipped(f"nginx.service is {state}: somebody stopped it, or nobody started it")
    assert systemd.calls == [SHOW]


@pytest.mark.parametrize(
    ("load", "error", "words"),
    [
        ("not-found", NotFound, "systemd has no unit nginx.service"),
        ("masked", NotSupported, "nginx.service is masked"),
        ("", NotSupported, "nginx.service is unknown"),
    ],
)
async def test_a_unit_that_cannot_be_started_is_not_touched(systemd: Systemd, load: str, error: type, words: str):
    systemd.answers("show", f"LoadState={load}\nActiveState=inactive\n" if load else "")

    with pytest.raises(error, match=words):
        await systemd.act()
    assert systemd.calls == [SHOW]


async def test_a_restart_that_fails_says_why(systemd: Systemd):
    words = "Job for nginx.service failed because the control process exited with error code."
    systemd.answers("restart", f'{words}\nSee "systemctl status nginx.service" for details.\n', "exit 1")

    with pytest.raises(Permanent, match=f"^systemctl restart: {words}$"):
        await systemd.act()


async def test_a_restart_that_takes_too_long_is_given_up_in_time(systemd: Systemd):
    systemd.answers("restart", "", "exec sleep 60")
    step = RestartUnitStep(action="restart_unit", unit="nginx.service", timeout=1.5)

    with pytest.raises(Temporary, match=r"not done within 0\.75 s; systemd goes on"):
        await systemd.act(step)


async def test_without_systemd_nothing_is_called(systemd: Systemd, tmp_path: Path):
    with pytest.raises(NotSupported, match=r"there is no systemd here \(no /nowhere/system\)"):
        await act(RestartUnit(Path("/nowhere/system")), STEP, containers_of())
    assert systemd.calls == []


async def test_without_systemctl_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotSupported, match="no systemctl program"):
        await act(RestartUnit(tmp_path), STEP, containers_of())
