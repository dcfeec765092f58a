"""Hypothesis strategies: settings files and container labels that nobody who means well writes."""

from dataclasses import fields
from pathlib import Path

import yaml
from hostile import NASTY, json_values, nasty_text
from hypothesis import strategies as st

from homeostat.steps import by_action

_ROOT = Path(__file__).parents[2]
#: Every file of settings that is there, good and bad.
FILES = tuple(
    path.read_bytes() for path in (_ROOT / "homeostat.yml", *sorted((_ROOT / "tests/data/settings").glob("*.yml")))
)

#: What makes a step of each action, by the names of its keys. All others have defaults.
_GOOD: dict[str, dict[str, object]] = {
    "hook": {"hook": "gc"},
    "evidence": {"hook": "heap"},
    "signal": {"signal": "HUP"},
    "exec": {"command": "mark"},
    "redis_trim": {"target": ":6379"},
    "pg_release": {"target": ":5432/shop", "user": "homeostat"},
    "prune": {"files": ["/var/log/shop/*.log.*"]},
    "degrade": {"hook": "degrade"},
    "limits": {"memory": 1.5},
    "restart_unit": {"unit": "nginx.service"},
}
#: Right for one key or another, and wrong for most.
_PLAUSIBLE = (
    *("1s", "0s", "500ms", "1h30m", "999999999w", "64MiB", "1GiB", "999999999999999GiB", "gc", "HUP", "mark", "hard"),
    *(
        ":6379",
        "db:5432/shop",
        "/var/log/shop/**/*.log",
        "/**",
        "/a/b/../../c/d/*",
        "[a-",
        "{a,b}",
        "up == 0",
        "$workload",
    ),
    *(
        0,
        1,
        2,
        100_000,
        1.5,
        float("inf"),
        float("nan"),
        True,
        None,
        "shop/web",
        "local/api",
        "Europe/Berlin",
        "No/Where",
    ),
    *(
        [],
        {},
        ["/bin/true"],
        {"within": "1s", "hold": "0s", "promql": "up"},
        {"A": "b"},
        [{"count": 1, "window": "1s"}],
    ),
)
_values = st.sampled_from(_PLAUSIBLE) | json_values


@st.composite
def steps(draw: st.DrawFn) -> dict[str, object]:
    """Of any action, with any of its keys."""
    action = draw(st.sampled_from(sorted(by_action())))
    names = [field.name for field in fields(by_action()[action]) if field.name != "action"]
    return {**good_step(action), **draw(st.dictionaries(st.sampled_from(names), _values, max_size=3))}


def good_step(action: str) -> dict[str, object]:
    return {"action": action, **_GOOD.get(action, {})}


def settings_with(*ladder: object) -> dict[str, object]:
    """Settings with what steps name."""
    return {
        "responder": {"commands": {"mark": {"argv": ["touch", "ran"]}}},
        "processes": {"api": {"command": ["api"], "check": {"http": "http://127.0.0.1:8000/"}}},
        "workloads": {
            "local/api": {"enable": True},
            "shop/web": {"probes": [{"http": ":8080/"}], "ladders": {"down": "x"}},
        },
        "ladders": {"x": {"steps": list(ladder)}},
        "config_files": {"env": {"path": "shop.env", "workloads": ["shop/web"], "settle": "3s"}},
    }


@st.composite
def settings_data(draw: st.DrawFn) -> dict[str, object]:
    """Good settings but for what is put in a few places."""
    data = settings_with(*draw(st.lists(steps(), max_size=4)))
    sections = [
        "exporter",
        "guardian",
        "stack",
        "docker",
        "responder",
        "workloads",
        "processes",
        "state_dir",
        "ladders",
        "config_files",
        "config_dir",
    ]
    for section in draw(st.lists(st.sampled_from(sections), max_size=3)):
        if draw(st.booleans()) and isinstance(data.get(section), dict):
            data[section][draw(_keys)] = draw(_values)
        else:
            data[section] = draw(st.dictionaries(_keys, _values, max_size=4) | _values)
    return data


_keys = nasty_text | st.sampled_from(
    [
        *(
            "listen",
            "expose",
            "host",
            "enabled",
            "compose",
            "caps",
            "maintenance",
            "store",
            "tls",
            "hold_file",
            "token_files",
        ),
        *(
            "process_groups",
            "remote_write",
            "retention_size",
            "prometheus",
            "body_limit",
            "local/api",
            "shop/web",
            "api",
            "env",
        ),
    ]
)


def written(data: object) -> bytes:
    """As YAML; half characters, too."""
    return yaml.safe_dump(data, allow_unicode=True).encode(errors="surrogatepass")


#: Characters and words that mean something to YAML.
TOKENS = (
    *(
        "&a ",
        "*a",
        "!!int ",
        "!!float ",
        "!!binary ",
        "!!set ",
        "!!omap ",
        "!!python/object:os.system ",
        "!x ",
        "<<: ",
        "? ",
    ),
    *(
        "[",
        "]",
        "{",
        "}",
        "- ",
        ": ",
        ":\n",
        "\n",
        "\n  ",
        "\t",
        "#",
        "|\n",
        ">-\n",
        "'",
        '"',
        "%YAML 1.1\n---\n",
        "---\n",
        "...",
    ),
    *(
        "0x",
        "1_000",
        "1:30",
        "2026-13-45",
        ".inf",
        "~",
        "yes",
        "=",
        "\ufeff",
        "\x85",
        "\x00",
        "\\ud800",
        "\\x",
        "\u2028",
        "a" * 200,
    ),
)


@st.composite
def settings_texts(draw: st.DrawFn) -> bytes:
    """A file that was once good or told its mistake, and has been worked over."""
    content = draw(st.sampled_from(FILES) | settings_data().map(written))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        until = draw(st.integers(at, min(at + 40, len(content))))
        content = content[:at] + draw(_patches) + content[until:]
    return content


_patches = st.sampled_from(TOKENS).map(str.encode) | st.sampled_from(NASTY).map(str.encode) | st.binary(max_size=4)

_label_names = st.sampled_from(
    [
        *(
            f"homeostat.probe.{kind}"
            for kind in ("http", "tcp", "dns", "redis", "postgres", "command", "promql", "body")
        ),
        *(f"homeostat.probe.{key}" for key in ("interval", "timeout", "failures", "role", "status", "user", "ca_file")),
        *(
            f"homeostat.{key}"
            for key in ("enable", "hold", "metrics", "memory_threshold", "start_grace", "depends_on", "")
        ),
        *(
            "homeostat.hook.gc",
            "homeostat.hook.",
            "homeostat.hook.a.b",
            "homeostat.ladder.memory",
            "homeostat.ladder.x y",
        ),
        *("autoheal", "homeostat", "homeostat.probe", "com.docker.compose.project"),
    ]
) | nasty_text.map(lambda text: f"homeostat.{text}")
_hosts = st.sampled_from(
    ["", "db", "127.0.0.1", "[::1]", "a@b", "a?b", "a#b", "a\\b", "\u2100", "xn--", "\u0130", "%2f", "a,b"]
)
_ports = st.sampled_from(["80", "0", "65535", "65536", "080", "\u0663", "-1", "8e1", "99999999999"])
_paths = st.sampled_from(
    ["", "/", "//evil.example/", "/../x", "/a?b#c", "/%0d%0aX:y", "/\x00", "/\u2028", "@evil.example/", "/\\"]
)
_targets = st.builds(
    lambda scheme, host, port, path: f"{scheme}{host}:{port}{path}",
    st.sampled_from(["", "http://", "https://", "HTTP://", "file://", "//"]),
    _hosts | nasty_text,
    _ports,
    _paths | nasty_text,
)
label_sets = st.dictionaries(
    _label_names,
    _targets
    | nasty_text
    | st.sampled_from(["true", "no", "2s", "0s", "0.9", "nan", "3", "200,404", "200,", "liveness", "gc", "1" * 30]),
    max_size=6,
)
#: One target, and what its kind may need.
targets = st.builds(
    lambda name, target: {f"homeostat.{name}": target, **({"homeostat.probe.user": "u"} if "postgres" in name else {})},
    st.sampled_from(["probe.http", "probe.tcp", "probe.redis", "probe.postgres", "probe.dns", "hook.gc", "metrics"]),
    _targets,
)
