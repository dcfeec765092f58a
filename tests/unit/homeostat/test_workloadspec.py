"""What an owner says by container labels, and what is wrong with them, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.errors import SettingsError
from homeostat.workloads import HookSpec, Kind, ProbeSpec
from homeostat.workloadspec import WorkloadSpec, from_labels


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
            "com.docker.compose.project": "shop",
        },
        "shop-web-1",
    )

    workload = spec.to_workload("shop/web", Kind.CONTAINER)
    assert (workload.enabled, workload.hold) == (True, False)
    assert workload.probes == (ProbeSpec("http", ":8080/health", 5.0, 2.0), ProbeSpec("tcp", ":5432", 5.0, 2.0))
    assert workload.hooks == {"cache-clear": HookSpec(":8080/hooks/clear")}
    assert workload.ladders == {"memory": "down"}
    assert (workload.memory_threshold, workload.start_grace_s) == (0.8, 30.0)


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
    ({"homeostat.memory_threshold": "1.2.3"}, "c: label homeostat.memory_threshold: '1.2.3': must be a number"),
    ({"homeostat.start_grace": "30"}, "c: label homeostat.start_grace: '30': must be a duration like"),
    (
        {"homeostat.probe.tcp": ":1", "homeostat.probe.interval": "0s"},
        "c: label homeostat.probe.interval: '0s': must be longer than 0s",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("labels", "expected"), MISTAKES, ids=[str(labels) for labels, _ in MISTAKES])
def test_a_mistake_names_container_label_value_and_what_is_allowed(labels: dict[str, str], expected: str):
    with pytest.raises(SettingsError) as caught:
        from_labels(labels, "c")

    assert str(caught.value).startswith(expected)


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
        "probe.http",
        "probe.tcp",
        "probe.interval",
        "probe.timeout",
        "hook.gc",
        "ladder.memory",
        "memory_threshold",
        "start_grace",
    ]
)
values = st.text(max_size=30) | st.sampled_from(
    [":80", ":80/x", "true", "1s", "0.5", "http://x:1/", "http://[::1]/", "nan"]
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
