"""What a program in a container says, out of the engine's frames, and what pid 1 is in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.containerexec import TAIL_BYTES, Tail, has_own_pids
from homeostat.engineimages import PrunedImages, pruned_images


def frame(payload, stream=1):
    return bytes((stream, 0, 0, 0)) + len(payload).to_bytes(4, "big") + payload


def tail_of(data, size):
    tail = Tail()
    tail.take_all(data[start : start + size] for start in range(0, len(data), size))
    return tail.text()


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 30))
def test_frames_are_put_together_wherever_they_are_cut(payloads, size):
    data = b"".join(frame(payload, 1 + nth % 2) for nth, payload in enumerate(payloads))

    assert tail_of(data, size) == b"".join(payloads).decode(errors="replace")


def test_only_the_end_is_kept():
    line = b"x" * 1000
    tail = Tail()

    for _ in range(1000):
        tail.take(frame(line))
    tail.take(frame(b"the end"))

    assert len(tail.text()) == TAIL_BYTES
    assert tail.text().endswith("xthe end")
    assert len(tail._kept) <= 2 * TAIL_BYTES


def test_a_frame_that_never_ends_is_not_waited_for_in_memory():
    tail = Tail()

    tail.take(b"\1\0\0\0\xff\xff\xff\xff")
    for _ in range(1000):
        tail.take(b"x" * 1000)

    assert len(tail._kept) <= 2 * TAIL_BYTES


@pytest.mark.parametrize(
    ("mode", "expected"), [("", True), ("private", True), ("host", False), ("container:abc", False), (None, True)]
)
def test_pid_1_is_its_own_unless_the_namespace_is_anothers(mode, expected):
    assert has_own_pids({"Id": "a", "HostConfig": {"PidMode": mode}}) is expected


def test_images_that_only_lost_a_name_are_not_counted():
    raw = {"ImagesDeleted": [{"Untagged": "a@sha256:1"}, {"Deleted": "sha256:2"}, {"Deleted": "sha256:3"}]}

    assert pruned_images({**raw, "SpaceReclaimed": 7}) == PrunedImages(2, 7)
    assert pruned_images({"ImagesDeleted": None, "SpaceReclaimed": 0}) == PrunedImages(0, 0)
    assert pruned_images({"ImagesDeleted": ["x", {}]}) == PrunedImages(0, 0)
