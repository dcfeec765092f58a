"""What an owner says of a workload, by container labels and in homeostat.yml, and what is wrong with it, in words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.errors import SettingsError
from homeostat.structure import written
from homeostat.workloadlabels import from_labels
from homeostat.workloads import (
    CommandOptions,
    DnsOptions,
    HookSpec,
    HttpOptions,
    Kind,
    PostgresOptions,
    ProbeRole,
    ProbeSpec,
    PromqlOptions,
    RedisOptions,
)
from homeostat.workloadspec import WorkloadSpec


def test_labels_make_the_whole_workload():
    spec = from_labels(
        {
            "homeostat.enable": "true",
            "homeostat.hold": "false",
            "homeostat.probe.http": ":8080/health",
            "homeostat.probe.tcp": ":5432",
            "homeostat.probe.interval": "5s",
            "homeostat.hook.cache-clear": ":8080/hooks/clear",
            "homeostat.ladder.memory": "down",
            "homeostat.memory_threshold": "0.8",
            "homeostat.start_grace": "30s",
            "homeostat.objective": "0.999",
            "com.docker.compose.project": "shop",
        },
        "shop-web-1",
    )

    workload = spec.to_workload("shop/web", Kind.CONTAINER)
    assert (workload.enabled, workload.hold) == (True, False)
    assert workload.probes == (ProbeSpec("http", ":8080/health", 5.0, 2.0), ProbeSpec("tcp", ":5432", 5.0, 2.0))
    assert workload.hooks == {"cache-clear": HookSpec(":8080/hooks/clear")}
    assert workload.ladders == {"memory": "down"}
    assert (workload.memory_threshold, workload.start_grace_s, workload.objective) == (0.8, 30.0, 0.999)


@pytest.mark.parametrize(
    ("labels", "enabled"),
    [
        ({}, False),
        ({"homeostat.enable": "true"}, True),
        ({"homeostat.enable": "false"}, False),
        ({"homeostat.enable": "False"}, False),  # docker-autoheal honours only this one spelling
        ({"homeostat.enable": "no"}, False),
        ({"homeostat.enable": "0"}, False),
        ({"autoheal": "true"}, True),
        ({"autoheal": "True"}, False),
        ({"autoheal": ""}, False),
        ({"autoheal": "true", "homeostat.enable": "false"}, False),
    ],
)
def test_repair_is_off_until_the_owner_says_so(labels: dict[str, str], enabled: bool):
    assert from_labels(labels, "c").enable is enabled


def test_labels_say_which_kinds_of_probes_there_are_and_what_they_share():
    spec = from_labels(
        {
            "homeostat.probe.dns": "db.example.org",
            "homeostat.probe.redis": ":6379",
            "homeostat.probe.postgres": ":5432/shop",
            "homeostat.probe.http": ":8080/health",
            "homeostat.probe.interval": "5s",
            "homeostat.probe.timeout": "1s",
            "homeostat.probe.failures": "3",
            "homeostat.probe.successes": "2",
            "homeostat.probe.role": "readiness",
            "homeostat.probe.status": "200, 204",
            "homeostat.probe.user": "watcher",
        },
        "c",
    )

    probes = spec.to_workload("shop/web", Kind.CONTAINER).probes
    shared = (5.0, 1.0, 3, 2, ProbeRole.READINESS)
    assert probes == (
        ProbeSpec("http", ":8080/health", *shared, HttpOptions((200, 204))),
        ProbeSpec("dns", "db.example.org", *shared, DnsOptions()),
        ProbeSpec("redis", ":6379", *shared, RedisOptions("watcher")),
        ProbeSpec("postgres", ":5432/shop", *shared, PostgresOptions("watcher")),
    )


def test_a_label_says_where_the_applications_own_metrics_are():
    spec = from_labels({"homeostat.metrics": ":9000/metrics"}, "c")

    assert spec.to_workload("shop/web", Kind.CONTAINER).metrics == ":9000/metrics"


ENTRIES = [
    ({"http": ":80/", "status": [200], "body": "ok", "ca_file": "ca.pem"},
     ProbeSpec("http", ":80/", 2.0, 2.0, options=HttpOptions((200,), "ok", Path("ca.pem")))),
    ({"http": "https://shop.example.org/health"}, ProbeSpec("http", "https://shop.example.org/health", 2.0, 2.0)),
    ({"tcp": "db:5432", "name": "door", "role": "readiness", "failures": 2, "successes": 3, "timeout": "500ms"},
     ProbeSpec("tcp", "db:5432", 2.0, 0.5, 2, 3, ProbeRole.READINESS, given_name="door")),
    ({"dns": "_sip._tcp.example.org", "server": "[::1]:53", "record": "SRV", "answer": "sip.example.org"},
     ProbeSpec("dns", "_sip._tcp.example.org", 2.0, 2.0, options=DnsOptions("[::1]:53", "SRV", "sip.example.org"))),
    ({"redis": ":6379", "user": "w", "password_file": "/run/pw"},
     ProbeSpec("redis", ":6379", 2.0, 2.0, options=RedisOptions("w", Path("/run/pw")))),
    ({"postgres": "db:5432/shop", "user": "w", "password_file": "/run/pw", "query": "SELECT\n 2\n"},
     ProbeSpec("postgres", "db:5432/shop", 2.0, 2.0, options=PostgresOptions("w", Path("/run/pw"), "SELECT\n 2"))),
    ({"command": ["/usr/bin/pg_isready", "-h", "db"]},
     ProbeSpec("command", "pg_isready", 2.0, 2.0, options=CommandOptions(("/usr/bin/pg_isready", "-h", "db")))),
    ({"promql": "up == 1\n", "server": "https://prometheus.example.org/"},
     ProbeSpec("promql", "up == 1", 2.0, 2.0, options=PromqlOptions("https://prometheus.example.org"))),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), ENTRIES, ids=[str(data) for data, _ in ENTRIES])
def test_a_probe_of_the_file_is_what_it_says(data: dict[str, object], expected: ProbeSpec):
    spec = written(WorkloadSpec, {"probes": [data]})

    assert spec.to_workload("shop/web", Kind.CONTAINER).probes == (expected,)


def test_a_probe_is_named_by_its_kind_and_target_unless_it_has_a_name():
    spec = written(WorkloadSpec, {"probes": [{"command": ["/opt/check", "one"]}, {"tcp": ":80", "name": "door"}]})

    assert [probe.name for probe in spec.to_workload("shop/web", Kind.CONTAINER).probes] == ["command check", "door"]


MISTAKES = [
    ({"homeostat.enabel": "true"}, "c: label homeostat.enabel: unknown; allowed: homeostat.enable, .hold,"),
    ({"homeostat.": "x"}, "c: label homeostat.: unknown; allowed:"),
    ({"homeostat.probe": ":80"}, "c: label homeostat.probe: unknown; allowed:"),
    ({"homeostat.probe.icmp": "x"}, "c: label homeostat.probe.icmp: unknown; allowed:"),
    ({"homeostat.hook.a.b": "x"}, "c: label homeostat.hook.a.b: unknown; allowed:"),
    ({"homeostat.hook": "x"}, "c: label homeostat.hook: unknown; allowed:"),
    ({"homeostat.hooks.gc": ":80/x"}, "c: label homeostat.hooks.gc: unknown; allowed:"),
    ({"homeostat.enable": "maybe"}, "c: label homeostat.enable: 'maybe': must be true or false"),
    ({"homeostat.enable": ""}, "c: label homeostat.enable: '': must be true or false"),
    ({"homeostat.hook.GC": ":80/gc"}, "c: label homeostat.hook.GC: 'GC': must be lower-case letters, digits and -"),
    ({"homeostat.hook.gc": "/gc"}, "c: label homeostat.hook.gc: '/gc': allowed: http://HOST:PORT/PATH or :PORT/PATH"),
    ({"homeostat.hook.gc": "file:///etc/passwd"}, "c: label homeostat.hook.gc: 'file:///etc/passwd': allowed: http://"),
    ({"homeostat.ladder.a-b": "down"}, "c: label homeostat.ladder.a-b: 'a-b': must be lower-case letters"),
    ({"homeostat.probe.http": "web"}, "c: label homeostat.probe.http: 'web': allowed: http://HOST:PORT/PATH or :PORT"),
    ({"homeostat.probe.http": ":80 /x"}, "c: label homeostat.probe.http: ':80 /x': allowed: http://HOST:PORT/PATH or"),
    ({"homeostat.probe.tcp": ":99999"}, "c: label homeostat.probe.tcp: ':99999': allowed: HOST:PORT or :PORT"),
    ({"homeostat.probe.tcp": ":0"}, "c: label homeostat.probe.tcp: ':0': allowed: HOST:PORT or :PORT"),
    ({"homeostat.memory_threshold": "90%"}, "c: label homeostat.memory_threshold: '90%': must be a number"),
    ({"homeostat.memory_threshold": "90"}, "c: label homeostat.memory_threshold: 90.0: must be less than"),
    ({"homeostat.memory_threshold": "nan"}, "c: label homeostat.memory_threshold: 'nan': must be"),
    ({"homeostat.objective": "99.9%"}, "c: label homeostat.objective: '99.9%': must be a number"),
    ({"homeostat.objective": "1"}, "c: label homeostat.objective: 1.0: must be less than"),
    ({"homeostat.objective": "0"}, "c: label homeostat.objective: 0.0: must be greater than"),
    ({"homeostat.memory_threshold": "1.2.3"}, "c: label homeostat.memory_threshold: '1.2.3': must be a number"),
    ({"homeostat.start_grace": "30"}, "c: label homeostat.start_grace: '30': must be a duration like"),
    (
        {"homeostat.probe.tcp": ":1", "homeostat.probe.interval": "0s"},
        "c: label homeostat.probe.interval: '0s': must be longer than 0s",
    ),
    ({"homeostat.probe.command": "rm"}, "c: label homeostat.probe.command: a label may not run a program"),
    ({"homeostat.probe.promql": "up"}, "c: label homeostat.probe.promql: a label may not run a program, query or"),
    ({"homeostat.probe.ca_file": "/x"},
     "c: label homeostat.probe.ca_file: a label may not run a program, query or pattern here, nor read a file; all"),
    ({"homeostat.probe.redis": ":1", "homeostat.probe.password_file": "/etc/shadow"},
     "c: label homeostat.probe.password_file: a label may not"),
    ({"homeostat.probe.dns": "x", "homeostat.probe.server": ":53"}, "c: label homeostat.probe.server: unknown"),
    ({"homeostat.probe.name": "x"}, "c: label homeostat.probe.name: unknown; allowed: homeostat.enable, .hold, "),
    ({"homeostat.probe.postgres": ":5432/x"}, "c: label homeostat.probe.user: required with postgres, but missing"),
    ({"homeostat.probe.postgres": ":5432", "homeostat.probe.user": "w"},
     "c: label homeostat.probe.postgres: ':5432': allowed: HOST:PORT/DATABASE or :PORT/DATABASE"),
    ({"homeostat.probe.tcp": ":1", "homeostat.probe.status": "200"},
     "c: label homeostat.probe.status: allowed: together with homeostat.probe.http"),
    ({"homeostat.probe.http": ":1", "homeostat.probe.user": "w"},
     "c: label homeostat.probe.user: allowed: together with homeostat.probe.redis or homeostat.probe.postgres"),
    ({"homeostat.probe.http": ":1", "homeostat.probe.status": "200,"}, "c: label homeostat.probe.status: '': must be"),
    ({"homeostat.probe.http": ":1", "homeostat.probe.status": "99"}, "c: label homeostat.probe.status: 99: must be"),
    ({"homeostat.probe.http": ":1", "homeostat.probe.body": "ok"}, "c: label homeostat.probe.body: a label may not"),
    ({"homeostat.probe.tcp": ":1", "homeostat.probe.failures": "0"}, "c: label homeostat.probe.failures: 0: must be"),
    ({"homeostat.probe.tcp": ":1", "homeostat.probe.failures": "3x"}, "c: label homeostat.probe.failures: '3x': must"),
    ({"homeostat.probe.tcp": ":1", "homeostat.probe.role": "x"}, "c: label homeostat.probe.role: 'x': must be 'live"),
    ({"homeostat.metrics": "9000"}, "c: label homeostat.metrics: '9000': allowed: http://HOST:PORT/PATH or :PORT/PATH"),
    ({"homeostat.depends_on": "shop/db"}, "c: label homeostat.depends_on: unknown; allowed:"),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "expected"), MISTAKES, ids=[str(labels) for labels, _ in MISTAKES])
def test_a_mistake_names_container_label_value_and_what_is_allowed(labels: dict[str, str], expected: str):
    with pytest.raises(SettingsError) as caught:
        from_labels(labels, "c")

    assert str(caught.value).startswith(expected)


def test_what_all_probes_share_is_complained_of_once():
    labels = {"homeostat.probe.tcp": ":1", "homeostat.probe.http": ":2", "homeostat.probe.timeout": "2"}

    with pytest.raises(SettingsError) as caught:
        from_labels(labels, "c")

    assert caught.value.problems == [
        "c: label homeostat.probe.timeout: '2': must be a duration like 500ms, 10s, 5m or 1h30m"
    ]


@given(st.dictionaries(st.text(max_size=20).map("homeostat.".__add__), st.text(max_size=30), max_size=4))
def test_any_labels_give_a_workload_or_a_settings_error(labels: dict[str, str]):
    try:
        assert isinstance(from_labels(labels, "c"), WorkloadSpec)
    except SettingsError as err:
        assert all(p.startswith("c: label homeostat.") for p in err.problems)  # noqa: PT017 - either outcome is right


known = st.sampled_from(
    [
        "enable",
        "hold",
        *(f"probe.{kind}" for kind in ("http", "tcp", "dns", "redis", "postgres")),
        *(f"probe.{key}" for key in ("interval", "timeout", "failures", "successes", "role", "status", "body", "user")),
        "metrics",
        "hook.gc",
        "ladder.memory",
        "memory_threshold",
        "start_grace",
        "objective",
    ]
)
values = st.text(max_size=30) | st.sampled_from(
    [":80", ":80/x", "true", "1s", "0.5", "http://x:1/", "http://[::1]/", "nan", "3", "200,500", "readiness"]
)


@given(st.dictionaries(known.map("homeostat.".__add__), values, max_size=5))
def test_any_values_of_known_labels_give_a_workload_or_a_settings_error(labels: dict[str, str]):
    try:
        spec = from_labels(labels, "c")
    except SettingsError as err:
        assert all(p.startswith("c: label homeostat.") for p in err.problems)  # noqa: PT017 - either outcome is right
    else:
        assert 0 < spec.memory_threshold <= 1
        assert all(entry.interval > 0 and entry.timeout > 0 for entry in spec.probes)
