"""What engines tell, by version and make; and what they must not be able to break."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat import enginejson, statsjson
from homeostat.containerinfo import ContainerEvent, NetworkCounters

DATA = Path(__file__).parents[2] / "data" / "docker"
INSPECT = json.loads((DATA / "inspect.json").read_text())
ID = INSPECT["Id"]


def recorded(name):
    return json.loads((DATA / name).read_text())


def changed(raw, path, value):
    """A copy with another value at ``path``, like ``State.Status``; without it for ``...``."""
    raw = json.loads(json.dumps(raw))
    *parents, key = path.split(".")
    target = raw
    for parent in parents:
        target = target[parent]
    if value is ...:
        del target[key]
    else:
        target[key] = value
    return raw


def test_podmans_inspect_is_understood():
    container = enginejson.container(recorded("inspect-podman.json"))

    assert (container.name, container.status, container.pid) == ("shop-web-1", "running", 4711)
    assert (container.health, container.health_failing_streak) == ("unhealthy", 3)
    assert (container.restart_policy, container.stop_signal, container.labels) == ("no", "15", {})
    assert container.addresses == ("10.88.0.2",)
    assert container.workload_id == "container/shop-web-1"


OPTIONAL = {
    "Name": ("name", ID[:12]),
    "RestartCount": ("restart_count", 0),
    "State.OOMKilled": ("oom_killed", False),
    "State.Pid": ("pid", 0),
    "State.ExitCode": ("exit_code", 0),
    "State.StartedAt": ("started_at", None),
    "State.FinishedAt": ("finished_at", None),
    "State.Health": ("health", "none"),
    "State.Health.Status": ("health", "none"),
    "State.Health.FailingStreak": ("health_failing_streak", 0),
    "HostConfig": ("restart_policy", "no"),
    "HostConfig.NetworkMode": ("network_mode", ""),
    "HostConfig.RestartPolicy": ("restart_policy", "no"),
    "HostConfig.RestartPolicy.Name": ("restart_policy", "no"),
    "HostConfig.Memory": ("memory_limit", 0),
    "Config": ("image", ""),
    "Config.Image": ("image", ""),
    "Config.Labels": ("labels", {}),
    "Config.Healthcheck": ("start_period_s", 0.0),
    "Config.Healthcheck.StartPeriod": ("start_period_s", 0.0),
    "NetworkSettings": ("addresses", ()),
    "NetworkSettings.Networks": ("addresses", ()),
    "NetworkSettings.Networks.bridge": ("addresses", ()),
    "NetworkSettings.Networks.bridge.IPAddress": ("addresses", ()),
}


@pytest.mark.parametrize("value", [..., None, [], {"a": [1]}, 1.5, False])
@pytest.mark.parametrize("path", OPTIONAL)
def test_what_is_optional_may_be_missing_or_of_another_kind(path, value):
    field, default = OPTIONAL[path]

    assert getattr(enginejson.container(changed(INSPECT, path, value)), field) == default


@pytest.mark.parametrize("path", ["State.Pid", "RestartCount", "HostConfig.Memory", "State.Health.FailingStreak"])
@pytest.mark.parametrize("value", [-1, True, "7", 10**300])
def test_a_count_that_is_none_is_0(path, value):
    field, _ = OPTIONAL[path]

    assert getattr(enginejson.container(changed(INSPECT, path, value)), field) == 0


@pytest.mark.parametrize("path", ["Id", "State", "State.Status"])
@pytest.mark.parametrize("value", [..., None, [], "", 7])
def test_what_is_required_is_said_to_be_missing(path, value):
    with pytest.raises(ValueError, match=path.rpartition(".")[2]):
        enginejson.container(changed(INSPECT, path, value))


@pytest.mark.parametrize("raw", [None, [], "x", 7, True])
def test_what_is_no_answer_at_all_is_refused(raw):
    for read in (enginejson.container, enginejson.rows, enginejson.event, statsjson.stats):
        with pytest.raises(ValueError, match="is no"):
            read(raw if raw != [] or read is not enginejson.rows else {})


def test_a_name_as_long_as_a_book_is_refused():
    with pytest.raises(ValueError, match="Name"):
        enginejson.container(changed(INSPECT, "Name", "/" + "x" * 100_000))


def test_labels_that_are_no_text_are_left_out():
    raw = changed(INSPECT, "Config.Labels", {"a": "1", "b": None, "c": 3, "d": ["x"]})

    assert enginejson.container(raw).labels == {"a": "1"}


def test_dockers_list_before_health_was_in_it():
    rows = enginejson.rows(recorded("list.json"))

    assert [(row.status, row.health) for row in rows] == [
        ("running", None),
        ("running", "healthy"),
        ("running", "starting"),
        ("running", "unhealthy"),
        ("paused", None),
        ("restarting", None),
        ("exited", None),
        ("created", None),
        ("removing", None),
        ("dead", None),
        ("running", None),
        ("running", None),
    ]
    assert [int(row.id, 16) for row in rows if row.is_oneoff] == [11]
    assert rows[0].names == {"shop-web-1"}
    assert "shop-web-12" in rows[11].names


def test_dockers_list_with_health():
    rows = enginejson.rows(recorded("list-v1.52.json"))

    assert [row.health for row in rows] == ["none", "healthy", "unhealthy", "none"]


def test_podmans_list_is_understood():
    rows = enginejson.rows(recorded("list-podman.json"))

    assert [(row.status, row.health) for row in rows] == [("running", None), ("created", None), ("exited", None)]


def test_a_list_with_a_row_that_names_nobody_is_refused():
    """Who is not in the list counts as removed."""
    with pytest.raises(ValueError, match="Id"):
        enginejson.rows([*recorded("list.json"), {"Names": ["/shop-web-1"]}])
    with pytest.raises(ValueError, match="no object"):
        enginejson.rows([*recorded("list.json"), None])


def test_an_event_without_its_parts_tells_nothing():
    assert enginejson.event({"Action": 7, "Actor": {"Attributes": []}, "timeNano": "now"}) == ContainerEvent(
        "", "", "", 0
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
PLACES = [*OPTIONAL, "Id", "State", "State.Status", "Config.StopSignal"]


@given(st.sampled_from(PLACES), JSON)
def test_nothing_that_an_engine_says_breaks_the_reading_of_a_container(path, value):
    try:
        container = enginejson.container(changed(INSPECT, path, value))
    except ValueError:
        return
    assert container.pid >= 0
    assert isinstance(container.workload_id, str)
    assert all(isinstance(address, str) for address in container.addresses)


@given(JSON)
def test_nothing_that_an_engine_says_breaks_any_reading(value):
    for read in (enginejson.rows, enginejson.event, enginejson.container, statsjson.stats):
        for raw in (
            value,
            [value],
            {"Actor": value, "timeNano": value, "memory_stats": value, "networks": {"a": value}},
        ):
            with contextlib.suppress(ValueError):
                read(raw)


ETH0 = NetworkCounters("eth0", 736000, 800, 3, 51200, 400, 3)


def test_stats_of_cgroup_v2():
    found = statsjson.stats(recorded("stats-v2.json"))

    assert (found.memory_usage, found.memory["anon"], found.cpu_seconds) == (17039360, 3047424, 0.048554)
    assert (found.cpu_periods, found.cpu_throttled_periods, found.cpu_throttled_seconds) == (120, 30, 1.5)
    assert (found.pids, found.pids_limit) == (6, 0)
    assert (found.read_bytes, found.written_bytes, found.reads, found.writes) == (4097000, 10192, None, None)
    assert found.networks == (ETH0,)


def test_stats_of_cgroup_v1():
    found = statsjson.stats(recorded("stats-v1.json"))

    assert (found.memory["total_rss"], found.memory_failures, found.pids_limit) == (3047424, 5, 100)
    assert (found.read_bytes, found.written_bytes, found.reads, found.writes) == (4096000, 8192, 100, 2)
    assert found.cpu_periods is None  # nothing limits it


def test_stats_of_windows():
    found = statsjson.stats(recorded("stats-windows.json"))

    assert (found.memory_usage, found.memory, found.cpu_seconds) == (17039360, {"anon": 3047424}, 0.048554)
    assert (found.read_bytes, found.written_bytes, found.reads, found.writes) == (4097000, 10192, 101, 3)
    assert found.pids is None
    assert found.networks[0].interface == "Ethernet"


def test_stats_of_podman_leave_out_what_nobody_counted():
    found = statsjson.stats(recorded("stats-podman.json"))

    assert (found.memory_usage, found.memory, found.cpu_throttled_periods) == (17039360, {}, None)
    assert (found.pids, found.pids_limit, found.networks) == (6, None, (ETH0,))


def test_stats_of_a_container_that_does_not_run_are_none():
    found = statsjson.stats({"read": "0001-01-01T00:00:00Z", "memory_stats": {}, "cpu_stats": {}, "pids_stats": {}})

    assert (found.memory_usage, found.cpu_seconds, found.pids, found.read_bytes) == (None, None, None, None)
