"""Containers are found and read under every version and driver, and a file that goes takes nothing else with it."""

import shutil
from pathlib import Path

import pytest

from exporters.cgroups import Cgroups, CgroupSample, search, up_to_id
from exporters.rawfiles import field, number, read

DATA = Path(__file__).parents[2] / "data" / "cgroups"
ID = "1e1553abdfae3742977ac2ff977f815d3ef4384c7bf58d58c9bf1af755343981"
LIMITED = "66cced86c17ca0325b0747cbc9f65de4b97b339c0904b849411d31ef876ec8b9"
TREES = ("v2-systemd", "v2-cgroupfs", "v1")


@pytest.fixture(params=TREES)
def tree(request, tmp_path):
    copy = tmp_path / request.param
    shutil.copytree(DATA / request.param, copy)
    return copy


@pytest.fixture
def cgroups(tree, clock):
    return Cgroups(clock, tree / "sys", tree / "proc")


def sample(limit=0, oom_kills=0):
    return CgroupSample(
        anon=3047424,
        shmem=147456,
        usage=17039360,
        limit=limit,
        oom_kills=oom_kills,
        cpu_seconds=0.048554,
        pids=6,
    )


def test_both_containers_are_read(cgroups):
    assert cgroups.sample_all([(ID, 4711), (LIMITED, 4712)]) == {ID: sample(), LIMITED: sample(67108864, 3)}


def test_without_the_hosts_processes_they_are_found_by_their_ids(tree, clock):
    shutil.rmtree(tree / "proc")

    assert Cgroups(clock, tree / "sys", tree / "proc").sample_all([(ID, 4711)]) == {ID: sample()}


def test_paths_of_another_namespace_are_not_believed(cgroups, tree):
    memberships = tree / "proc" / "4711" / "cgroup"
    memberships.write_text(memberships.read_text().replace("/docker", "/../elsewhere/docker"))

    assert cgroups.sample_all([(ID, 4711)]) == {ID: sample()}


@pytest.mark.parametrize("parent", ["user.slice/user-1000.slice/user@1000.service/app.slice", "kubepods/burst/pod1"])
def test_any_parent_is_found(tmp_path, clock, parent):
    place = tmp_path / "sys" / parent / f"docker-{ID}.scope"
    shutil.copytree(DATA / "v2-systemd" / "sys" / "system.slice" / f"docker-{ID}.scope", place)
    (tmp_path / "sys" / "cgroup.controllers").write_text("memory\n")

    assert Cgroups(clock, tmp_path / "sys", tmp_path / "proc").sample_all([(ID, 0)]) == {ID: sample()}


async def test_what_is_not_found_is_searched_for_once_a_minute(cgroups, tree, clock, monkeypatch):
    walks = []
    monkeypatch.setattr("exporters.cgroups.search", lambda place: walks.append(place) or search(place))
    for _ in range(5):
        assert cgroups.sample_all([("f" * 64, 9)]) == {}
    assert len(walks) == 1
    await clock.advance(61)
    cgroups.sample_all([("f" * 64, 9)])

    assert len(walks) == 2


def test_what_is_known_is_not_searched_for(cgroups, monkeypatch):
    monkeypatch.setattr("exporters.cgroups.search", lambda _: pytest.fail("a walk"))

    assert len(cgroups.sample_all([(ID, 4711), (LIMITED, 4712)])) == 2


def test_a_container_that_goes_takes_only_its_own_values_with_it(cgroups, tree):
    cgroups.sample_all([(ID, 4711), (LIMITED, 4712)])
    for folder in (tree / "sys").rglob(f"*{ID}*"):
        shutil.rmtree(folder)

    assert cgroups.sample_all([(ID, 4711), (LIMITED, 4712)]) == {LIMITED: sample(67108864, 3)}


def test_a_file_that_goes_takes_only_its_own_values_with_it(cgroups, tree):
    for path in (tree / "sys").rglob("memory.*"):
        path.unlink()
    found = cgroups.sample_all([(ID, 4711)])[ID]

    assert (found.anon, found.usage, found.limit) == (None, None, None)
    assert (found.cpu_seconds, found.pids) == (0.048554, 6)


def test_a_controller_that_is_not_in_use_never_gives_the_hosts_values(tmp_path, clock):
    shutil.copytree(DATA / "v1", tmp_path / "v1")
    memberships = tmp_path / "v1" / "proc" / "4711" / "cgroup"
    memberships.write_text("4:memory:/docker/" + ID + "\n")
    shutil.rmtree(tmp_path / "v1" / "sys" / "cpuacct" / "docker")
    found = Cgroups(clock, tmp_path / "v1" / "sys", tmp_path / "v1" / "proc").sample_all([(ID, 4711)])[ID]

    assert found.cpu_seconds is None
    assert found.anon == 3047424


def test_a_restarted_container_is_looked_up_again(cgroups, tree):
    cgroups.sample_all([(ID, 4711)])
    shutil.copytree(tree / "proc" / "4711", tree / "proc" / "5000")

    assert cgroups.sample_all([(ID, 5000)]) == {ID: sample()}


def test_what_does_not_run_any_more_is_not_read(cgroups):
    cgroups.sample_all([(ID, 4711), (LIMITED, 4712)])

    assert cgroups.sample_all([(ID, 4711)]).keys() == {ID}
    assert len(cgroups._known) == 1


def test_a_host_without_cgroups_gives_nothing(tmp_path, clock):
    assert Cgroups(clock, tmp_path, tmp_path).sample_all([(ID, 4711)]) == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/docker/{ID}", f"/docker/{ID}"),
        (f"/docker/{ID}/init.scope", f"/docker/{ID}"),
        (f"/system.slice/docker-{ID}.scope/a/b", f"/system.slice/docker-{ID}.scope"),
        ("/", None),
        ("/docker", None),
    ],
)
def test_a_containers_own_children_are_cut_off(path, expected):
    assert up_to_id(path, ID) == expected


STAT = b"anon 7\nfile 8\ninactive_anon 9\n"


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (STAT, b"anon", 7),
        (STAT, b"file", 8),
        (STAT, b"inactive_anon", 9),
        (STAT, b"shmem", None),
        (b"", b"anon", None),
        (None, b"anon", None),
        (b"anon x\n", b"anon", None),
    ],
)
def test_a_field_is_found_by_its_whole_name(content, name, expected):
    assert field(content, name) == expected


@pytest.mark.parametrize(("content", "expected"), [(b"7\n", 7), (b"max\n", None), (b"", None), (None, None)])
def test_a_number_is_read(content, expected):
    assert number(content) == expected


def test_a_file_that_is_not_there_is_none(tmp_path):
    assert read(str(tmp_path / "nothing")) is None
    assert read(str(tmp_path)) is None  # a folder opens but cannot be read
