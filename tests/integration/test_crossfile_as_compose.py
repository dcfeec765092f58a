"""Variables as we find them in compose files against the real `docker compose config`: its list, warnings, refusals."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.schema.crossfile import Use, check_compose, compose_variables

pytestmark = pytest.mark.docker  # where an engine is, `docker compose` is; no call goes to the engine

ENVIRON = {"SET": "x", "EMPTY": ""}
_WARNING = re.compile(r'The \\"(\w+)\\" variable is not set')


@dataclass(frozen=True)
class Answer:
    """``warned``: variables that compose says are not set."""

    is_taken: bool
    output: str
    warned: frozenset[str]


Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path, engine: str) -> Ask:
    """Runs `docker compose config` on a compose file."""

    def run(text: str, *options: str) -> Answer:
        path = tmp_path / "compose.yml"
        path.write_bytes(text.encode())
        done = subprocess.run(
            ["docker", "compose", "-f", str(path), "config", *options],
            capture_output=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
            text=True,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | ENVIRON,
        )
        return Answer(done.returncode == 0, done.stdout, frozenset(_WARNING.findall(done.stderr)))

    return run


def compose(*values: str) -> str:
    environment = {f"K{number}": value for number, value in enumerate(values)}
    return json.dumps({"name": "crossfile", "services": {"w": {"image": "none", "environment": environment}}})


def uses_of(text: str) -> list[Use]:
    return [use for uses in compose_variables(text).values() for use in uses]


def warned(text: str) -> frozenset[str]:
    """What this compose warns of: it looks at words before it knows whether they are used."""
    return frozenset(use.name for use in uses_of(text) if not use.operator and use.name not in ENVIRON)


def is_refused(text: str) -> bool:
    """What this compose refuses, for the same reason."""
    try:
        uses = uses_of(text)
    except NotParsed:
        return True
    lacking = {":?": {"SET"}, "?": {"SET", "EMPTY"}}
    return any(use.name not in lacking[use.operator] for use in uses if use.is_required)


FILE = """\
name: crossfile  # ${COMMENT}
x-common: &common
  labels: {a: "${LABEL:-x}", b: $B}
services:
  web:
    <<: *common
    image: shop:${TAG}  # ${TRAILING}
    ports: ["${PORT:-80}:80", "127.0.0.1:${ADMIN-81}:81"]
    environment:
      - URL=postgres://${DB_USER}:${DB_PASS}@db/$DB_NAME
      - ESCAPED=$${NOT}$$NEITHER
      - ${LISTED:+yes}
    command: >
      run --a ${FOLDED}
      --b '$1 $'
    entrypoint: |
      ${BLOCK}
"""


def test_the_variables_of_a_file_are_those_that_compose_lists(ask: Ask):
    listed = ask(FILE, "--variables")

    assert listed.is_taken
    assert {line.split()[0] for line in listed.output.splitlines()[1:]} == set(compose_variables(FILE))


def test_what_has_no_value_is_what_compose_warns_of(ask: Ask):
    answer = ask(FILE, "--quiet")

    assert answer.is_taken
    assert answer.warned == {str(violation.path[0]) for violation in check_compose(FILE, ())} == warned(FILE)


TAKEN = [
    "$A ${B} $$C $${D}",
    "$$$A $1 $ $. 5$",
    "${A:-x} ${B-x} ${C:+x} ${D+x}",
    "${A:-${B}} ${C-${D:-$E}}",
    '${A:-{"x": {"y": 1}}} $B',
    "${A:-{x} $B",
    "${A}} {$B}",
    "${A:-a:b-c?d+e}$B",
    "${A-$$B}${C-$$$D}",
    "${SET:?x}${SET?$A}${EMPTY?x}",
    "${A:-x}\n${B}\n",
    "${A:-$}$B",
    "$aB_1-x",
]
REFUSED = [
    "${}",
    "${A",
    "${A b}",
    "${1}",
    "${A:x}",
    "${A:=x}",
    "${A.b}",
    "${A[0]}",
    "${A:-${B}",
    "${A-x\n}",
    "${A?x}",
    "${A:?}",
    "${EMPTY:?x}",
    "${SET:-${A:?x}}",
]


def test_compose_takes_what_we_take_and_warns_of_the_same(ask: Ask):
    answer = ask(compose(*TAKEN), "--quiet")

    assert answer.is_taken
    assert not is_refused(compose(*TAKEN))
    assert answer.warned == warned(compose(*TAKEN))


@pytest.mark.parametrize("value", REFUSED)
def test_compose_refuses_what_we_refuse(ask: Ask, value: str):
    assert not ask(compose(value), "--quiet").is_taken
    assert is_refused(compose(value))


@pytest.mark.parametrize("text", ["a: [", "services: {w: {image: 'x}}\n", "\tservices: {}\n", "services: a: b\n"])
def test_compose_refuses_what_is_no_yaml(ask: Ask, text: str):
    assert not ask(text, "--quiet").is_taken
    with pytest.raises(NotParsed):
        compose_variables(text)


PARTS = st.sampled_from(
    [
        "$",
        "{",
        "}",
        "${",
        "$A",
        "${A",
        "${B:-",
        "${C-",
        "${SET+",
        "${EMPTY:+",
        "${D:?",
        "${SET:?",
        ":",
        "x",
        " ",
        "\n",
        "$$",
    ]
)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@seed(20260101)  # the same at each run: what compose does with them does not change
@given(parts=st.lists(st.lists(PARTS, min_size=1, max_size=9), min_size=20, max_size=40))
def test_of_any_templates_compose_takes_and_warns_of_the_same(ask: Ask, parts: Sequence[Sequence[str]]):
    # Names of its own for each, so that warnings tell which one is meant.
    values = [re.sub(r"\b([ABCD])\b", rf"\1_{number}", "".join(each)) for number, each in enumerate(parts)]
    taken = [value for value in values if not is_refused(compose(value))]
    refused = [value for value in values if is_refused(compose(value))]

    answer = ask(compose(*taken), "--quiet")
    assert (answer.is_taken, answer.warned) == (True, warned(compose(*taken)))
    for value in refused[:3]:
        assert not ask(compose(value), "--quiet").is_taken


@pytest.mark.parametrize(
    ("value", "env"),
    [
        ("${A:-$B} ${C:?x}", {"B": "1", "C": "1"}),
        ("${A-$B} ${C?x}", {"A": "", "C": ""}),
        ("${A:+${B}}", {"A": "1", "B": ""}),
    ],
)
def test_with_what_we_find_sufficient_compose_has_nothing_to_say(
    ask: Ask, tmp_path: Path, value: str, env: dict[str, str]
):
    text = compose(value)
    assert check_compose(text, {}) != () or "+" in value
    (tmp_path / ".env").write_text("".join(f"{name}={content}\n" for name, content in env.items()))

    answer = ask(text, "--quiet")

    assert check_compose(text, env, ENVIRON) == ()
    assert answer.is_taken
    # It warns of words that are not used; newer ones do not.
    assert answer.warned <= {use.name for use in uses_of(text) if use.name not in env}
