"""Containers are found and read under every version and driver, and a file that goes takes nothing else with it."""

import shutil

import pytest
from cgrouptrees import DATA, ID, LIMITED, TREES, V2, planted

from exporters.cgroups import Cgroups, CgroupSample, find
from exporters.cgroups.find import memberships, named, search, up_to_id
from exporters.rawfiles import field, number, read, read_whole


@pytest.fixture(params=TREES)
def tree(request, tmp_path):
    return planted(request.param, tmp_path / request.param)


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

    found = Cgroups(clock, tree / "sys", tree / "proc").sample_all([(ID, 4711), (LIMITED, 4712)])
    assert found == {ID: sample(), LIMITED: sample(67108864, 3)}


def test_paths_of_another_namespace_are_not_believed(cgroups, tree):
    membership = tree / "proc" / "4711" / "cgroup"
    membership.write_text(membership.read_text().replace(":/", ":/../elsewhere/"))

    assert cgroups.sample_all([(ID, 4711)]) == {ID: sample()}


@pytest.mark.parametrize(
    "parent",
    [
        "user.slice/user-1000.slice/user@1000.service/app.slice",
        "docker/" + "a" * 64 + "/docker",  # Docker in Docker
        "wsl-user/distro-1/systemd/user.slice/user-1000.slice/user@1000.service/user.slice",
        "custom.slice",
    ],
)
@pytest.mark.parametrize("has_processes", [True, False])
def test_any_parent_is_found(tmp_path, clock, parent, has_processes):
    place = tmp_path / "sys" / parent / f"docker-{ID}.scope"
    shutil.copytree(DATA / "v2-systemd" / "sys" / "system.slice" / f"docker-{ID}.scope", place)
    (tmp_path / "sys" / "cgroup.controllers").write_text("memory\n")
    if has_processes:
        (tmp_path / "proc" / "4711").mkdir(parents=True)
        (tmp_path / "proc" / "4711" / "cgroup").write_text(f"0::/{parent}/docker-{ID}.scope/init.scope\n")

    assert Cgroups(clock, tmp_path / "sys", tmp_path / "proc").sample_all([(ID, 4711)]) == {ID: sample()}


async def test_what_is_not_found_is_searched_for_once_a_minute(cgroups, clock, monkeypatch):
    walks = []
    monkeypatch.setattr(find, "search", lambda place: walks.append(place) or search(place))
    for _ in range(5):
        assert cgroups.sample_all([("f" * 64, 9)]) == {}
    assert len(walks) == 1
    await clock.advance(61)
    cgroups.sample_all([("f" * 64, 9)])

    assert len(walks) == 2


def test_what_is_known_is_not_searched_for(cgroups, monkeypatch):
    monkeypatch.setattr(find, "search", lambda _: pytest.fail("a walk"))

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
    tree = planted("v1", tmp_path / "v1")
    (tree / "proc" / "4711" / "cgroup").write_text("4:memory:/docker/" + ID + "\n")
    shutil.rmtree(tree / "sys" / "cpuacct" / "docker")
    found = Cgroups(clock, tree / "sys", tree / "proc").sample_all([(ID, 4711)])[ID]

    assert found.cpu_seconds is None
    assert found.anon == 3047424


@pytest.mark.parametrize("has_processes", [True, False])
def test_a_machine_that_does_not_account_memory_still_tells_the_rest(tmp_path, clock, has_processes):
    tree = planted("v1", tmp_path / "v1")
    shutil.rmtree(tree / "sys" / "memory")
    if not has_processes:
        shutil.rmtree(tree / "proc")
    found = Cgroups(clock, tree / "sys", tree / "proc").sample_all([(ID, 4711)])[ID]

    assert (found.anon, found.usage) == (None, None)
    assert (found.cpu_seconds, found.pids) == (0.048554, 6)


def test_a_restarted_container_is_looked_up_again(cgroups, tree):
    cgroups.sample_all([(ID, 4711)])
    shutil.copytree(tree / "proc" / "4711", tree / "proc" / "5000")

    assert cgroups.sample_all([(ID, 5000)]) == {ID: sample()}


def test_what_does_not_run_any_more_is_not_read_and_not_kept(cgroups):
    cgroups.sample_all([(ID, 4711), (LIMITED, 4712)])

    assert cgroups.sample_all([(ID, 4711)]).keys() == {ID}
    assert len(cgroups._finder._known) == 1


def test_a_host_without_cgroups_gives_nothing(tmp_path, clock):
    assert Cgroups(clock, tmp_path, tmp_path).sample_all([(ID, 4711)]) == {}


@pytest.mark.parametrize("name", V2)
def test_folders_that_only_mention_a_container_are_not_taken_for_it(name):
    places = search(str(DATA / name / "sys"))

    assert places.keys() == {ID, LIMITED}
    assert not [place for place in places.values() if "conmon" in place or ".mount" in place]


@pytest.mark.parametrize(
    ("part", "is_one"),
    [
        (ID, True),
        (f"docker-{ID}.scope", True),
        (f"libpod-{ID}.scope", True),
        (f"libpod-{ID}", True),
        (f"nerdctl-{ID}.scope", True),
        (f"libpod-conmon-{ID}.scope", False),
        (f"libpod-payload-{ID}", False),
        (f"var-lib-docker-containers-{ID}-mounts-shm.mount", False),
        (f"docker-{ID}.scope.d", False),
        (ID[:12], False),
        ("system.slice", False),
    ],
)
def test_a_containers_folder_is_known_by_its_whole_name(part, is_one):
    assert named(part) == (ID if is_one else None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/docker/{ID}", f"/docker/{ID}"),
        (f"/docker/{ID}/init.scope", f"/docker/{ID}"),
        (f"/docker/{'a' * 64}/docker/{ID}", f"/docker/{'a' * 64}/docker/{ID}"),
        (f"/system.slice/docker-{ID}.scope/a/b", f"/system.slice/docker-{ID}.scope"),
        ("/", None),
        ("/docker", None),
        (f"/docker/{'a' * 64}", None),
    ],
)
def test_a_containers_own_children_are_cut_off(path, expected):
    assert up_to_id(path, ID) == expected


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"0\n", b"0::\n", b"::\n", b"nonsense", b"0:memory\n", b"\xff:\xff:\xff\n"]
)
def test_memberships_that_make_no_sense_say_nothing(content):
    assert memberships(content, ID) == {}


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


@pytest.mark.parametrize("reader", [read, read_whole])
def test_a_file_that_is_not_there_is_none(tmp_path, reader):
    assert reader(str(tmp_path / "nothing")) is None
    assert reader(str(tmp_path)) is None  # a folder opens but cannot be read


def test_a_long_file_is_read_to_its_end_or_to_what_is_wanted(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"x" * 100_000)

    assert len(read_whole(str(path))) == 100_000
    assert 50_000 <= len(read_whole(str(path), 50_000)) < 70_000
