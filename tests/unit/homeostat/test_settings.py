"""homeostat.yml: what is allowed works, and every kind of mistake is answered in words that help.

Expected messages stand beside the broken files in tests/data/settings; ``pytest --update-goldens`` writes them anew.
"""

import time
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat import settings
from homeostat.errors import SettingsError
from homeostat.ladders import DEFAULT_LADDERS
from homeostat.sections import ProcessGroup
from homeostat.settings import Settings
from homeostat.workloads import Kind, PromqlOptions

DATA = Path(__file__).parents[2] / "data" / "settings"
INVALID = sorted(DATA.glob("invalid-*.yml"))


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "homeostat.yml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def load(folder: Path, content: str | bytes = "", **environ: str) -> Settings:
    return settings.load(write(folder, content), environ)


def problems(path: Path, **environ: str) -> str:
    """What the user reads, with the folder left out."""
    with pytest.raises(SettingsError) as caught:
        settings.load(path, environ)
    assert "\n".join(caught.value.problems) == str(caught.value)
    return str(caught.value).replace(f"{path.parent}/", "") + "\n"


def compare(golden: Path, found: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-goldens"):
        golden.write_text(found)
    assert golden.exists(), f"{golden} is missing: run pytest --update-goldens, and read what it wrote"
    assert found == golden.read_text()


# --- Mistakes


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem.removeprefix("invalid-"))
def test_a_mistake_is_answered_with_the_words_beside_it(path: Path, tmp_path: Path, request: pytest.FixtureRequest):
    start = time.monotonic()

    found = problems(write(tmp_path, path.read_bytes()))

    compare(path.with_suffix(".txt"), found, request)
    for line in found.splitlines():
        assert line.startswith("homeostat.yml:")
        assert len(line) < 300
    assert time.monotonic() - start < 5.0


def test_every_expected_message_has_its_file():
    made = {path.stem.removeprefix("invalid-") for path in INVALID} | MADE.keys()

    assert {path.stem.removeprefix("invalid-") for path in DATA.glob("invalid-*.txt")} == made


def nested(opening: str, closing: str, depth: int) -> bytes:
    return b"responder: " + (opening * depth + closing * depth).encode()


#: Too large or too deep to keep as files.
MADE: dict[str, bytes] = {
    "too-large": b"# " + b"x" * (1 << 20),
    "too-many-values": b"a: [" + b"x, " * 30_000 + b"x]",
    "deep-lists": nested("[", "]", 100_000),
    "deep-mappings": nested("{a: ", "}", 100_000),
    "deep-blocks": b"".join(b" " * n + b"a:\n" for n in range(700)),
    "long-value": b"responder: {alertmanager_url: " + b"x" * 100_000 + b"}",
    "long-number": b"responder: {body_limit: " + b"9" * 100_000 + b"}",
    "long-hexadecimal": b"responder: {body_limit: 0x" + b"f" * 10_000 + b", caps: [0x" + b"f" * 10_000 + b"]}",
    "long-share": b"workloads: {shop/web: {memory_threshold: 0x" + b"f" * 1_000 + b"}}",
    "nul-in-path": b'state_dir: "a\\0b"',
    "long-key": b"x" * 1_000 + b": 1",
    "key-of-lines": b'"a\\nb": {"c\\nd": 1, "c\\nd": 2}',
}


@pytest.mark.parametrize("kind", MADE)
def test_size_and_depth_are_bounded(kind: str, tmp_path: Path, request: pytest.FixtureRequest):
    start = time.monotonic()

    found = problems(write(tmp_path, MADE[kind]))

    compare(DATA / f"invalid-{kind}.txt", found, request)
    assert time.monotonic() - start < 10.0


PATHS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "homeostat.yml: no such file; create it, or name another with --settings\n"),
    "a folder": (lambda path: path.mkdir(), "homeostat.yml: cannot be read: Is a directory\n"),
    "endless": (
        lambda path: path.symlink_to("/dev/zero"),
        "homeostat.yml: larger than 1048576 bytes; allowed: a settings file\n",
    ),
    "a link to itself": (
        lambda path: path.symlink_to(path),
        "homeostat.yml: cannot be read: Too many levels of symbolic links\n",
    ),
}


@pytest.mark.parametrize("kind", PATHS)
def test_what_is_no_file_is_named(kind: str, tmp_path: Path):
    make, expected = PATHS[kind]
    path = tmp_path / "homeostat.yml"
    make(path)

    assert problems(path) == expected


@given(st.binary(max_size=200))
def test_any_bytes_give_settings_or_a_settings_error(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = write(tmp_path_factory.getbasetemp(), content)
    try:
        assert isinstance(settings.load(path, {}), Settings)
    except SettingsError as err:
        assert err.problems  # noqa: PT017 - either outcome is right


yaml_text = st.text(alphabet="ab:-[]{}&*!?|>%@`\"'#,. \n<0.1~", max_size=80)


@given(yaml_text)
def test_any_text_gives_settings_or_a_settings_error(tmp_path_factory: pytest.TempPathFactory, content: str):
    path = write(tmp_path_factory.getbasetemp(), content)
    try:
        assert isinstance(settings.load(path, {}), Settings)
    except SettingsError as err:
        assert err.problems  # noqa: PT017 - either outcome is right


# --- The environment

ENVIRONMENT = {
    "a bad value": ({"HOMEOSTAT__RESPONDER__LISTEN": "nowhere"}, "HOMEOSTAT__RESPONDER__LISTEN: responder.listen: "),
    "an unknown key": (
        {"HOMEOSTAT__RESPONDER__LISEN": "x"},
        "HOMEOSTAT__RESPONDER__LISEN: responder.lisen: unknown key",
    ),
    "an unknown section": ({"HOMEOSTAT__TRUNK": "x"}, "HOMEOSTAT__TRUNK: trunk: unknown key"),
    "a number without unit": (
        {"HOMEOSTAT__RESPONDER__RECONCILE_INTERVAL": "30"},
        "HOMEOSTAT__RESPONDER__RECONCILE_INTERVAL: responder.reconcile_interval: 30: must be a duration",
    ),
    "no YAML": ({"HOMEOSTAT__STATE_DIR": "[a"}, "HOMEOSTAT__STATE_DIR:"),
    "below what is no section": (
        {"HOMEOSTAT__STATE_DIR__X": "a"},
        "HOMEOSTAT__STATE_DIR__X: state_dir is not a section",
    ),
}


@pytest.mark.parametrize(("environ", "expected"), ENVIRONMENT.values(), ids=ENVIRONMENT.keys())
def test_a_mistake_in_the_environment_names_the_variable(tmp_path: Path, environ: dict[str, str], expected: str):
    found = problems(write(tmp_path, "state_dir: here\n"), **environ)

    assert found.startswith(expected)
    assert found.count("\n") == 1


def test_the_environment_wins_over_the_file(tmp_path: Path):
    environ = {
        "HOMEOSTAT__RESPONDER__LISTEN": "127.0.0.1:9",
        "HOMEOSTAT__RESPONDER__DRY_RUN": "true",
        "HOMEOSTAT__RESPONDER__TOKEN_FILES": "[a, b]",
        "HOMEOSTAT__STATE_DIR": "/elsewhere",
        "HOME": "/root",
    }

    loaded = load(tmp_path, "state_dir: here\nresponder: {listen: '127.0.0.1:8'}\n", **environ)

    assert (loaded.responder.listen, loaded.responder.dry_run) == ("127.0.0.1:9", True)
    assert loaded.responder.token_files == (tmp_path / "a", tmp_path / "b")
    assert loaded.state_dir == Path("/elsewhere")


# --- What is right


@pytest.mark.parametrize("content", ["", "\n", "# nothing yet\n", "{}", "---\n", "\ufeff# from Windows\r\n"])
def test_an_empty_file_is_all_defaults(tmp_path: Path, content: str):
    loaded = load(tmp_path, content)

    assert loaded == settings.defaults(tmp_path, {})
    assert loaded.responder.listen == "127.0.0.1:9802"
    assert loaded.docker.enabled == "auto"


def test_windows_line_ends_are_fine(tmp_path: Path):
    assert load(tmp_path, "responder:\r\n  dry_run: true\r\n").responder.dry_run


def test_the_shipped_file_loads():
    shipped = Path(__file__).parents[3] / "homeostat.yml"

    assert settings.load(shipped, {})


def test_the_shipped_file_loads_with_every_example_turned_on(tmp_path: Path):
    shipped = (Path(__file__).parents[3] / "homeostat.yml").read_text()
    turned_on = shipped[shipped.index("# workloads:") :].replace("\n# ", "\n").removeprefix("# ")

    loaded = load(tmp_path, turned_on)

    assert loaded.workloads["shop/web"].enable
    assert loaded.processes["api"].check is not None


def test_paths_are_relative_to_the_file_and_not_to_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir("/")

    loaded = load(tmp_path, "processes: {api: {command: [api], cwd: sub}, other: {command: [other]}}\n")

    assert loaded.state_dir == tmp_path / "state"
    assert loaded.responder.token_files == (tmp_path / "alertmanager/secrets/webhook-token",)
    assert (loaded.processes["api"].cwd, loaded.processes["other"].cwd) == (tmp_path / "sub", tmp_path)


def test_every_file_that_settings_name_is_relative_to_them(tmp_path: Path):
    loaded = load(
        tmp_path,
        """
stack: {remote_write: {url: "https://x/", username: a, password_file: p, ca_file: /etc/ca.pem}}
workloads: {shop/web: {probes: [{redis: ":1", password_file: secrets/redis}, {http: ":1/", ca_file: ca.pem}]}}
""",
    )

    remote = loaded.stack.remote_write
    redis, http = loaded.workloads["shop/web"].probes
    assert remote is not None
    assert (remote.password_file, remote.ca_file) == (tmp_path / "p", Path("/etc/ca.pem"))
    assert (redis.password_file, http.ca_file) == (tmp_path / "secrets/redis", tmp_path / "ca.pem")


def test_an_expression_is_asked_of_the_stacks_own_prometheus_unless_it_names_another(tmp_path: Path):
    loaded = load(
        tmp_path,
        """
stack: {prometheus: "127.0.0.1:9999"}
workloads: {shop/web: {probes: [{promql: up}, {promql: down, server: "http://other:9090/"}]}}
""",
    )

    options = [probe.to_spec().options for probe in loaded.workloads["shop/web"].probes]
    assert options == [PromqlOptions("http://127.0.0.1:9999"), PromqlOptions("http://other:9090")]


def test_processes_are_grouped_by_name_or_command_line(tmp_path: Path):
    loaded = load(
        tmp_path,
        "exporter: {node_exporter: true, process_groups: {web: {names: [nginx]}, jobs: {command: 'celery .* worker'}}}",
    )

    assert loaded.exporter.node_exporter
    assert loaded.exporter.process_groups == {
        "web": ProcessGroup(names=("nginx",)),
        "jobs": ProcessGroup(command="celery .* worker"),
    }


def test_what_a_workload_needs_is_kept_with_it(tmp_path: Path):
    loaded = load(tmp_path, "workloads: {shop/web: {depends_on: [shop/db, shop/redis]}}")

    workload = loaded.workloads["shop/web"].to_workload("shop/web", Kind.CONTAINER)
    assert workload.depends_on == ("shop/db", "shop/redis")


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.8.8.8:9802", "localhost:9802", "[::1]:9802"])
def test_loopback_may_be_listened_on(tmp_path: Path, listen: str):
    assert load(tmp_path, f"responder: {{listen: '{listen}'}}\n").responder.listen == listen


def test_other_addresses_may_be_listened_on_when_exposed(tmp_path: Path):
    assert load(tmp_path, "responder: {listen: '0.0.0.0:9802', expose: true}\n").responder.expose


def test_anchors_and_merges_may_be_used(tmp_path: Path):
    loaded = load(
        tmp_path,
        """
processes:
  api: &common
    command: [api]
    restart: always
    check: &check {tcp: "127.0.0.1:8000", interval: 1s}
  worker:
    <<: *common
    command: [worker]
    check: *check
""",
    )

    worker = loaded.processes["worker"]
    assert (worker.command, worker.restart) == (("worker",), "always")
    assert worker.check is not None
    assert worker.check.interval == 1.0


def test_a_mistake_that_came_by_a_merge_is_named_where_it_acts(tmp_path: Path):
    content = "processes:\n  api: &api {command: [api], restart: maybe}\n  worker: {<<: *api}\n"

    found = problems(write(tmp_path, content))

    assert "homeostat.yml:2: processes.api.restart: 'maybe'" in found
    assert "homeostat.yml:3: processes.worker.restart: 'maybe'" in found


def test_a_process_may_be_called_as_a_key_is(tmp_path: Path):
    found = problems(write(tmp_path, "processes:\n  check:\n    comand: [x]\n"))

    assert "processes.check.comand: unknown key; allowed: command, cwd" in found


def test_a_ladder_of_the_file_stands_in_front_of_the_shipped_one(tmp_path: Path):
    loaded = load(tmp_path, "ladders: {memory: {steps: [], escalate: false}, mine: {steps: [{action: restart}]}}\n")

    assert loaded.ladder("memory", {}) == loaded.ladders["memory"]
    assert loaded.ladder("down", {}) == DEFAULT_LADDERS["down"]
    assert loaded.ladder("memory", {"memory": "mine"}) == loaded.ladders["mine"]
    assert loaded.ladder("nothing of that name", {}) is None
    assert loaded.ladder("", {}) is None


def test_settings_cannot_be_changed_afterwards(tmp_path: Path):
    loaded = load(tmp_path)

    with pytest.raises(FrozenInstanceError):
        loaded.responder.dry_run = True
