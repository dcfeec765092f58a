"""Which platform this is, and where the guardian's socket is on each."""

import os
import stat
import sys
from pathlib import Path

import pytest

from homeostat.platforms import Platform, System, boot_id, control_socket_path, detect, is_wsl_kernel, private_folder

LINUX = Platform(System.LINUX, is_wsl=False, has_pidfd=True, has_unix_sockets=True)
WSL = Platform(System.LINUX, is_wsl=True, has_pidfd=True, has_unix_sockets=True)
WINDOWS = Platform(System.WINDOWS, is_wsl=False, has_pidfd=False, has_unix_sockets=False)
posix = pytest.mark.skipif(sys.platform == "win32", reason="paths, modes and links of POSIX")


@pytest.mark.parametrize(
    ("release", "is_wsl"),
    [
        ("5.15.90.1-microsoft-standard-WSL2", True),
        ("4.4.0-19041-Microsoft", True),
        ("6.1.0-18-amd64", False),
        ("23.4.0", False),
    ],
)
def test_wsl_is_known_by_its_kernel(release, is_wsl):
    assert is_wsl_kernel(release) is is_wsl


@pytest.mark.skipif(sys.platform != "linux", reason="Linux")
def test_linux_is_detected():
    platform = detect()

    assert (platform.system, platform.has_unix_sockets) == (System.LINUX, True)
    assert len(boot_id()) == 36


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the tests' folder is too long for a socket")
def test_the_socket_is_in_the_state_folder(tmp_path):
    assert control_socket_path(tmp_path, LINUX) == tmp_path.resolve() / "guardian.sock"


@posix
def test_a_long_path_gets_a_short_socket_that_guardian_and_client_agree_on(tmp_path, monkeypatch):
    state_dir = tmp_path / ("x" * 90)
    state_dir.mkdir()
    monkeypatch.chdir(state_dir)

    path = control_socket_path(state_dir, LINUX)

    assert len(os.fsencode(path)) <= 100 and path.parts[:2] == ("/", "tmp")
    assert path == control_socket_path(Path(), LINUX)
    assert path != control_socket_path(state_dir / "other", LINUX)


@posix
def test_multibyte_names_count_in_bytes(tmp_path):
    state_dir = tmp_path / ("ü" * 45)

    assert control_socket_path(state_dir, LINUX).parent != state_dir


@posix
def test_a_windows_drive_in_wsl_holds_no_socket():
    state_dir = Path("/mnt/c/shop/state")

    assert control_socket_path(state_dir, LINUX) == state_dir / "guardian.sock"
    assert control_socket_path(state_dir, WSL).parts[:2] == ("/", "tmp")
    assert control_socket_path(Path("/mnt/data/state"), WSL) == Path("/mnt/data/state/guardian.sock")


def test_windows_has_a_named_pipe(tmp_path):
    path = control_socket_path(tmp_path, WINDOWS)

    assert str(path).startswith("\\\\.\\pipe\\homeostat-")
    assert path != control_socket_path(tmp_path / "other", WINDOWS)


@posix
def test_a_private_folder_is_closed_to_others_even_if_it_was_open(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)

    private_folder(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix
def test_a_private_folder_is_no_link(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(PermissionError, match="link"):
        private_folder(tmp_path / "link")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_private_folder_of_somebody_else_is_refused(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, 12345)

    with pytest.raises(PermissionError, match="belongs to user 12345"):
        private_folder(folder)
