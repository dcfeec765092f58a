"""Which filesystems are told, and where they are asked."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import host as hosts

from exporters.host.mounts import Mount, MountTable, parse, places

ROOT = Mount("253:0", "/", "/", "ext4", False)


def table(name, process="1"):
    return tuple(parse((hosts.DATA / name / "proc" / process / "mountinfo").read_bytes()))


def test_each_local_filesystem_is_told_once_by_the_mount_that_shows_most_of_it():
    found = places(table("server"), table("server"), "/proc/1/root")

    assert [(place.mountpoint, place.fstype) for place in found] == [
        ("/", "ext4"),
        ("/boot", "ext4"),
        ("/boot/efi", "vfat"),
        ("/srv/my data", "xfs"),
        ("/home", "btrfs"),
        ("/media/disk", "ext4"),
    ]


def test_a_filesystem_that_another_is_mounted_over_is_not_taken_for_that():
    found = places(table("server"), (), "")
    assert len([place for place in found if place.mountpoint == "/media/disk"]) == 1
    lower = Mount("8:33", "/", "/media/disk", "ext4", False)
    upper = replace(lower, device="8:49", is_readonly=True)

    assert [place.is_readonly for place in places((lower, upper), (), "")] == [True]


def test_where_the_host_is_our_own_it_is_asked_at_its_own_mountpoint():
    found = places(table("server"), table("server"), "/proc/1/root")

    assert {place.paths[0] for place in found} == {place.mountpoint for place in found}


def test_in_a_container_a_mount_of_the_same_device_answers_for_the_host():
    found = {place.mountpoint: place.paths for place in places(table("server"), table("container", "self"), "/R")}

    assert found["/"] == ("/etc/homeostat", "/R/")
    assert found["/home"] == ("/mnt/models", "/R/home")


def test_in_a_container_what_no_mount_shows_is_asked_through_process_1():
    found = {place.mountpoint: place.paths for place in places(table("server"), table("container", "self"), "/R")}

    assert found["/boot"] == ("/R/boot",)


def test_the_container_names_filesystems_as_the_host_does(tmp_path):
    asked = []

    def ask(path):
        asked.append(path)
        if path.startswith(str(tmp_path)):
            raise PermissionError(13, "no SYS_PTRACE")
        return hosts.statvfs(path)

    reader = hosts.host(hosts.tree(tmp_path, "container"), ask)
    spaces = {place.mountpoint: reader.space(place) for place in reader.places()}

    assert {mountpoint for mountpoint, space in spaces.items() if space} == {"/", "/home"}
    assert str(tmp_path / "container/proc/1/root/boot") in asked


def test_with_a_pid_namespace_of_its_own_a_container_tells_what_it_can_reach(tmp_path):
    root = hosts.tree(tmp_path, "container")
    own = (root / "proc/self/mountinfo").read_bytes()
    (root / "proc/1/mountinfo").write_bytes(own)
    found = hosts.host(root).places()

    assert {place.fstype for place in found} == {"ext4", "btrfs"}
    assert {place.mountpoint for place in found} == {"/etc/hosts", "/mnt/models"}


def test_without_the_right_to_see_process_1_the_own_mounts_are_told(tmp_path):
    root = hosts.tree(tmp_path, "server")
    expected = hosts.host(root).places()
    (root / "proc/1/mountinfo").unlink()

    assert hosts.host(root).places() == expected


@pytest.mark.parametrize(
    "fstype", ["tmpfs", "overlay", "squashfs", "nfs4", "cifs", "9p", "fuse.sshfs", "proc", "cgroup2", "nsfs", "iso9660"]
)
def test_no_other_kind_is_ever_asked(fstype):
    assert places([replace(ROOT, fstype=fstype)], [ROOT], "") == ()


@pytest.mark.parametrize(
    "line", [b"", b"x", b"1 2 3 4 5", b"22 1 253:0 / / rw -", b" - - - ", b"22 1 253:0 / / rw - a b"]
)
def test_a_line_that_cannot_be_understood_is_left_out(line):
    good = b"22 1 253:0 / / rw - ext4 /dev/sda rw"

    assert list(parse(line + b"\n" + good + b"\n")) == [ROOT]


def test_a_mount_table_longer_than_a_page_is_read_whole(tmp_path):
    lines = [f"{n} 1 8:{n} / /mnt/{n:0200} rw - ext4 /dev/sd rw\n" for n in range(2000)]
    path = tmp_path / "mountinfo"
    path.write_text("".join(lines))

    assert len(MountTable(str(path)).read()) == 2000


def test_the_real_table_is_the_same_object_while_nothing_is_mounted():
    mounts = MountTable("/proc/self/mountinfo")
    first = mounts.read()

    assert first
    assert mounts.read() is first
    assert list(parse(Path("/proc/self/mountinfo").read_bytes())) == list(first)


# In a mount namespace of its own: nobody else sees what it mounts.
_REMOUNT = """
import subprocess, sys
from exporters.host.mounts import MountTable
mounts = MountTable("/proc/self/mountinfo")
before = mounts.read()
assert mounts.read() is before
subprocess.run(["mount", "-t", "tmpfs", "none", sys.argv[1]], check=True)
after = mounts.read()
assert [m.fstype for m in after if m.mountpoint == sys.argv[1]] == ["tmpfs"], after
subprocess.run(["umount", sys.argv[1]], check=True)
assert [m.mountpoint for m in mounts.read()] == [m.mountpoint for m in before]
"""


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting needs root")
def test_a_mount_is_seen_at_the_next_look(tmp_path):
    command = ["unshare", "--mount", sys.executable, "-c", _REMOUNT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
