"""Workloads from homeostat.yml and from labels, and where their probes go."""

import pytest
from fakes.containers import container

from homeostat import settings
from homeostat.directory import describe, describe_all, group_by_workload, resolve_hook, resolve_probe
from homeostat.errors import NotFound, SettingsError
from homeostat.workloads import HookSpec, Kind, ProbeSpec


def told(tmp_path, text="{}"):
    path = tmp_path / "homeostat.yml"
    path.write_text(text)
    return settings.load(path, {})


def test_labels_describe_a_workload(tmp_path):
    web = container(homeostat__enable="true", homeostat__probe__http=":8080/health")
    workload = describe("shop/web", [web], told(tmp_path))

    assert (workload.id, workload.kind, workload.enabled) == ("shop/web", Kind.CONTAINER, True)
    assert [probe.name for probe in workload.probes] == ["http :8080/health"]


def test_the_file_wins_over_labels(tmp_path):
    web = container(homeostat__enable="true")
    workload = describe("shop/web", [web], told(tmp_path, "workloads: {shop/web: {memory_threshold: 0.5}}"))

    assert (workload.enabled, workload.memory_threshold) == (False, 0.5)


def test_the_longer_of_both_start_graces_counts(tmp_path):
    assert describe("shop/web", [container(grace_s=40.0)], told(tmp_path)).start_grace_s == 40.0
    assert describe("shop/web", [container(grace_s=1.0)], told(tmp_path)).start_grace_s == 10.0


def test_a_plain_container_is_a_workload_of_its_own(tmp_path):
    plain = container("redis", project="", homeostat__enable="true")

    assert plain.workload_id == "container/redis"
    assert describe("container/redis", [plain], told(tmp_path)).enabled


def test_a_process_is_described_by_the_file_alone(tmp_path):
    workload = describe("local/api", [], told(tmp_path, "processes: {api: {command: [sleep, '1']}}"))

    assert workload.kind is Kind.PROCESS


@pytest.mark.parametrize("workload_id", ["shop/nothing", "local/nothing"])
def test_what_nobody_knows_is_not_found(tmp_path, workload_id):
    with pytest.raises(NotFound):
        describe(workload_id, [], told(tmp_path))


def test_wrong_labels_turn_the_workload_off_and_leave_the_others_alone(tmp_path):
    bad = container(homeostat__enable="true", homeostat__memory_threshold="7")
    good = container("shop-db-1", service="db", homeostat__enable="true")
    workloads, problems = describe_all([bad, good], told(tmp_path))

    assert {workload.id: workload.enabled for workload in workloads} == {"shop/web": False, "shop/db": True}
    assert len(problems) == 1
    assert "shop-web-1: label homeostat.memory_threshold" in problems[0]


def test_a_compose_project_of_the_reserved_name_is_a_problem_and_no_crash(tmp_path):
    web = container("local-web-1", project="local", homeostat__enable="true")
    workloads, problems = describe_all([web], told(tmp_path))

    assert [workload.enabled for workload in workloads] == [False]
    assert "allowed: any other project name" in problems[0]


def test_a_container_cannot_take_a_process_over(tmp_path):
    settings_ = told(tmp_path, "processes: {api: {command: [sleep, '1']}}\nworkloads: {local/api: {enable: true}}")
    impostor = container("local-api-1", project="local", service="api", homeostat__hold="true")

    assert not describe("local/api", [impostor], settings_).hold


def test_groups_hold_configured_workloads_without_containers(tmp_path):
    settings_ = told(tmp_path, "workloads: {shop/db: {}}\nprocesses: {api: {command: [sleep, '1']}}")
    web = container()

    assert group_by_workload([web], settings_) == {"local/api": [], "shop/db": [], "shop/web": [web]}


@pytest.mark.parametrize(
    ("kind", "target", "resolved"),
    [
        ("http", ":8080/health", "http://172.18.0.2:8080/health"),
        ("tcp", ":5432", "172.18.0.2:5432"),
        ("http", "http://web.example/health", "http://web.example/health"),
        ("tcp", "db.example:5432", "db.example:5432"),
        ("redis", ":6379", "172.18.0.2:6379"),
        ("postgres", ":5432/shop", "172.18.0.2:5432/shop"),
        ("promql", ":shop_errors:rate5m == 0", ":shop_errors:rate5m == 0"),  # a recording rule's name
    ],
)
def test_a_target_without_a_host_is_the_containers_address(kind, target, resolved):
    spec = resolve_probe(ProbeSpec(kind, target, 1.0, 1.0), container())

    assert spec is not None
    assert spec.target == resolved


@pytest.mark.parametrize("none", [None, container(addresses=())])
def test_a_container_without_an_address_has_no_target(none):
    assert resolve_probe(ProbeSpec("tcp", ":5432", 1.0, 1.0), none) is None


def test_a_hook_goes_to_the_container_too():
    assert resolve_hook(HookSpec(":8080/gc"), container()) == "http://172.18.0.2:8080/gc"


def test_bad_labels_are_settings_errors(tmp_path):
    with pytest.raises(SettingsError, match=r"allowed: homeostat\.enable"):
        describe("shop/web", [container(homeostat__enabel="true")], told(tmp_path))
