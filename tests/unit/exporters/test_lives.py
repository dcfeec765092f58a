"""A process is told from its pid's next user, by descriptors and by starts."""

import os
import subprocess
from pathlib import Path

import pytest

from exporters.lives import Lives, birth

ID = "1e1553abdfae3742977ac2ff977f815d3ef4384c7bf58d58c9bf1af755343981"
OTHER = "2" * 64


class Recorded:
    """A /proc of our own."""

    def __init__(self, root):
        self.root = root

    def start(self, pid, container_id=ID, at=100):
        (self.root / str(pid)).mkdir(exist_ok=True)
        (self.root / str(pid) / "cgroup").write_text(f"0::/docker/{container_id}\n")
        (self.root / str(pid) / "stat").write_text(f"{pid} (x) S {'0 ' * 18}{at} 0 0\n")

    def end(self, pid):
        (self.root / str(pid) / "stat").unlink()


@pytest.fixture
def recorded(tmp_path):
    return Recorded(tmp_path)


def told(check):
    return sorted(check.gone), sorted(check.unseen)


def test_what_lives_is_neither_gone_nor_unseen(recorded):
    recorded.start(5)
    lives = Lives(str(recorded.root), 0)

    assert told(lives.check([(ID, 5)])) == ([], [])
    assert told(lives.check([(ID, 5)])) == ([], [])


def test_what_ends_is_gone_until_nobody_asks_any_more(recorded):
    recorded.start(5)
    lives = Lives(str(recorded.root), 0)
    lives.check([(ID, 5)])
    recorded.end(5)

    assert told(lives.check([(ID, 5)])) == ([(ID, 5)], [])
    assert told(lives.check([(ID, 5)])) == ([(ID, 5)], [])
    assert told(lives.check([])) == ([], [])
    assert not lives._births


def test_a_pid_that_is_used_again_is_gone(recorded):
    recorded.start(5, at=100)
    lives = Lives(str(recorded.root), 0)
    lives.check([(ID, 5)])
    recorded.start(5, at=200)

    assert told(lives.check([(ID, 5)])) == ([(ID, 5)], [])


def test_what_was_never_seen_is_not_missed_and_looked_for_again(recorded):
    lives = Lives(str(recorded.root), 0)
    assert told(lives.check([(ID, 5)])) == ([], [(ID, 5)])
    recorded.start(5)
    assert told(lives.check([(ID, 5)])) == ([], [])
    recorded.end(5)

    assert told(lives.check([(ID, 5)])) == ([(ID, 5)], [])


def test_the_same_pid_of_another_namespace_is_unseen(recorded):
    recorded.start(5, OTHER)

    assert told(Lives(str(recorded.root), 0).check([(ID, 5), (OTHER, 5)])) == ([], [(ID, 5)])


def test_a_container_that_restarts_is_another_process(recorded):
    recorded.start(5)
    lives = Lives(str(recorded.root), 0)
    lives.check([(ID, 5)])
    recorded.end(5)
    recorded.start(6)

    assert told(lives.check([(ID, 6)])) == ([], [])
    assert lives._births.keys() == {(ID, 6)}


@pytest.fixture
def contained():
    """A function that starts a process in a cgroup named like a container."""
    root = next(
        (r for r in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup")) if (r / "cgroup.procs").exists()), None
    )
    if root is None or not os.access(root, os.W_OK) or not hasattr(os, "pidfd_open"):
        pytest.skip("needs the right to make cgroups, and pidfd_open(2)")
    folder = root / os.urandom(32).hex()
    folder.mkdir()
    started = []

    def start():
        started.append(subprocess.Popen(["sleep", "60"]))
        (folder / "cgroup.procs").write_text(str(started[-1].pid))
        return (folder.name, started[-1].pid), started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
    folder.rmdir()


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("most_open", [0, 8])
def test_live_processes_are_watched_either_way(contained, most_open):
    (first, process), (second, _) = contained(), contained()
    lives = Lives("/proc", most_open)
    assert told(lives.check([first, second])) == ([], [])
    process.kill()
    process.poll()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now

    assert told(lives.check([first, second])) == ([first], [])
    process.wait()
    assert told(lives.check([first, second])) == ([first], [])
    assert bool(lives._handles) == bool(most_open)


def test_no_more_descriptors_are_held_than_allowed_and_none_for_longer_than_needed(contained):
    keys = [contained()[0] for _ in range(4)]
    before = descriptors()
    lives = Lives("/proc", 3)
    for _ in range(3):
        assert told(lives.check(keys)) == ([], [])
        assert descriptors() - before == 3
    assert told(lives.check([("f" * 64, os.getpid())])) == ([], [("f" * 64, os.getpid())])

    assert descriptors() == before


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        (b"1 (sh) S " + b"0 " * 18 + b"77 0", b"77"),
        (b"1 (a ) b) R " + b"0 " * 18 + b"77 0", b"77"),
        (b"1 (sh) Z " + b"0 " * 18 + b"77 0", None),
        (b"1 (sh) X " + b"0 " * 18 + b"77 0", None),
        (b"", None),
        (None, None),
    ],
)
def test_a_process_is_known_by_its_start(stat, expected):
    assert birth(stat) == expected
