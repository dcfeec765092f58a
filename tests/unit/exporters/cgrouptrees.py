"""Recorded layouts of cgroups and /proc, with two containers each: one without limits, one with."""

import shutil
from pathlib import Path

DATA = Path(__file__).parents[2] / "data" / "cgroups"
ID = "1e1553abdfae3742977ac2ff977f815d3ef4384c7bf58d58c9bf1af755343981"
LIMITED = "66cced86c17ca0325b0747cbc9f65de4b97b339c0904b849411d31ef876ec8b9"
V2 = ("v2-systemd", "v2-cgroupfs", "rootless-v2", "podman-v2")
TREES = (*V2, "v1")
#: Pid -> open files. The second process of the container without limits may open 16, the others 1024.
OPEN_FILES = {4711: 4, 4720: 8, 4712: 2}


def planted(name, target):
    """A copy, with the open files that a repository cannot hold."""
    shutil.copytree(DATA / name, target)
    for pid, count in OPEN_FILES.items():
        if (target / "proc" / str(pid)).exists():
            open_files(target / "proc", pid, count)
    return target


def open_files(proc, pid, count):
    """Give a process of a tree so many open files."""
    folder = proc / str(pid) / "fd"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / str(number)).touch()
