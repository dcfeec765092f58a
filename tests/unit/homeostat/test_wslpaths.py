"""One file, two names: Windows' and that of the Linux in it."""

import os
import sys
from pathlib import Path

import pytest
from fakes.clock import FakeClock

from homeostat import commands
from homeostat.commandexecutor import Executor
from homeostat.commandlaunch import Command
from homeostat.errors import NotFound
from homeostat.platforms import Platform, System, detect
from homeostat.processes import system_processes
from homeostat.wslpaths import local_path, local_program, to_linux, to_windows

LINUX = Platform(System.LINUX, is_wsl=False, has_pidfd=True, has_unix_sockets=True)
WSL = Platform(System.LINUX, is_wsl=True, has_pidfd=True, has_unix_sockets=True)
WINDOWS = Platform(System.WINDOWS, is_wsl=False, has_pidfd=False, has_unix_sockets=False)

#: Windows' name, Linux' name in the distribution Ubuntu.
SAME = [
    (r"C:\Users\me\shop", "/mnt/c/Users/me/shop"),
    ("D:\\", "/mnt/d/"),
    (r"C:\Program Files (x86)\a b.exe", "/mnt/c/Program Files (x86)/a b.exe"),
    (r"C:\Grüße\店", "/mnt/c/Grüße/店"),
    (r"\\wsl.localhost\Ubuntu\srv\shop", "/srv/shop"),
    ("\\\\wsl.localhost\\Ubuntu\\", "/"),
    (r"\\wsl.localhost\Ubuntu\mnt\data", "/mnt/data"),
    (r"\\wsl.localhost\Ubuntu\mnt\cd\x", "/mnt/cd/x"),
]


@pytest.mark.parametrize(("windows", "linux"), SAME)
def test_each_name_gives_the_other(windows, linux):
    assert (to_linux(windows, "Ubuntu"), to_windows(linux, "Ubuntu")) == (linux, windows)


@pytest.mark.parametrize(
    ("windows", "linux"),
    [
        ("c:/Users/me", "/mnt/c/Users/me"),
        (r"C:\a/b\..\c", "/mnt/c/a/b/../c"),
        (r"\\wsl$\Ubuntu\srv", "/srv"),
        (r"\\WSL$\ubuntu\srv", "/srv"),
        ("//wsl.localhost/Ubuntu/srv/shop", "/srv/shop"),
        (r"\\wsl$\Ubuntu", "/"),
    ],
)
def test_other_spellings_of_windows_are_understood(windows, linux):
    assert to_linux(windows, "Ubuntu") == linux


@pytest.mark.parametrize(
    "path",
    [
        "/srv/shop",
        "shop",
        "C:",
        "C:shop",
        "CC:\\shop",
        r"\\wsl$\Debian\srv",
        r"\\wsl$\Ubuntu-22.04\srv",
        r"\\wsl$",
        r"\\server\share\shop",
        r"\\wslx\Ubuntu\srv",
        r"\\?\C:\shop",
        r"\shop",
        "",
        "http://shop/",
    ],
)
def test_what_is_no_windows_path_of_this_linux_has_no_linux_name(path):
    assert to_linux(path, "Ubuntu") is None


def test_without_a_known_distribution_its_files_have_no_other_name():
    assert to_linux(r"\\wsl$\Ubuntu\srv", "") is None
    assert to_windows("/srv", "") is None
    assert to_windows("/mnt/c/srv", "") == r"C:\srv"


@pytest.mark.parametrize("path", ["shop", "", "//server/share", r"/srv/a\b", "/srv/a:b", "/mnt/c/what?", "/srv/a\nb"])
def test_what_windows_cannot_say_has_no_windows_name(path):
    assert to_windows(path, "Ubuntu") is None


@pytest.mark.parametrize(
    ("path", "platform", "expected"),
    [
        (r"C:\shop", WSL, "/mnt/c/shop"),
        ("/mnt/c/shop", WSL, "/mnt/c/shop"),
        ("shop", WSL, "shop"),
        (r"\\server\share", WSL, r"\\server\share"),
        (r"C:\shop", LINUX, r"C:\shop"),
        (r"C:\shop", WINDOWS, r"C:\shop"),
        ("/mnt/c/shop", WINDOWS, r"C:\shop"),
        (r"\mnt\c\shop", WINDOWS, r"C:\shop"),
        ("/srv/shop", WINDOWS, "/srv/shop"),
        ("shop", WINDOWS, "shop"),
        (Path("C:\\shop"), WSL, "/mnt/c/shop"),
    ],
)
def test_only_what_is_of_the_other_kind_is_translated(path, platform, expected):
    assert local_path(path, platform, "Ubuntu") == expected


@pytest.mark.parametrize(
    ("program", "platform", "files", "expected"),
    [
        (r"C:\tools\check", WSL, {"/mnt/c/tools/check.exe"}, "/mnt/c/tools/check.exe"),
        (r"C:\tools\check", WSL, {"/mnt/c/tools/check", "/mnt/c/tools/check.exe"}, "/mnt/c/tools/check"),
        (r"C:\tools\check.exe", WSL, set(), "/mnt/c/tools/check.exe"),
        (r"C:\tools\check", WSL, set(), "/mnt/c/tools/check"),
        ("/mnt/c/tools/check", WSL, {"/mnt/c/tools/check.exe"}, "/mnt/c/tools/check"),
        ("docker", WSL, {"docker.exe"}, "docker"),
        (r"C:\tools\check", LINUX, {r"C:\tools\check.exe"}, r"C:\tools\check"),
    ],
)
def test_windows_programs_are_found_as_windows_finds_them(program, platform, files, expected):
    assert local_program(program, platform, "Ubuntu", files.__contains__) == expected


posix = pytest.mark.skipif(sys.platform == "win32", reason="this machine stands for a WSL")


@pytest.fixture
def executor(monkeypatch):
    monkeypatch.setenv("WSL_DISTRO_NAME", "Ubuntu")
    launcher = commands.SystemLauncher(WSL, system_processes(detect()))
    return Executor(launcher, FakeClock(), lambda: 0.0)


@posix
async def test_a_command_of_settings_written_on_windows_runs_in_wsl(executor, tmp_path):
    folder = "\\\\wsl.localhost\\Ubuntu" + str(tmp_path).replace("/", "\\")

    result = await executor.run(Command([r"\\wsl$\Ubuntu\bin\sh", "-c", r"pwd; echo 'C:\x'"], cwd=Path(folder)), 10)

    assert result.output == f"{os.path.realpath(tmp_path)}\nC:\\x\n"  # arguments are data


@posix
async def test_a_windows_program_that_is_missing_is_told_by_its_linux_name(executor):
    with pytest.raises(NotFound, match=r"^C:\\no\\such: cannot be started: no /mnt/c/no/such$"):
        await executor.run(Command([r"C:\no\such"]), 10)
