"""homeostat.yml, whatever is in it: settings, or words that name the file; never anything else, and soon."""

from pathlib import Path

import hostile
import hostile_settings
import pytest
from effort import examples
from hostile_settings import TOKENS, good_step, settings_with, written
from hypothesis import given
from hypothesis import strategies as st
from memory import Memory
from properties import check_settings

from homeostat.steps import by_action

# re warns of patterns that a later Python may read otherwise.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "homeostat.yml"


@given(st.binary(max_size=200))
@examples(100)
def test_any_bytes(path: Path, content: bytes):
    check_settings(path, content)


@given(st.lists(st.sampled_from(TOKENS) | st.sampled_from(["a", "responder", "1"]), max_size=25).map("".join))
@examples(250)
def test_any_yaml(path: Path, text: str):
    check_settings(path, text.encode())


@given(hostile.json_values)
@examples(100)
def test_any_data(path: Path, data: object):
    check_settings(path, written(data))


@given(hostile_settings.settings_data())
@examples(200)
def test_what_is_nearly_right(path: Path, data: dict[str, object]):
    check_settings(path, written(data))


@given(hostile_settings.settings_texts())
@examples(250)
def test_a_file_that_was_worked_over(path: Path, content: bytes):
    check_settings(path, content)


@pytest.mark.parametrize("action", by_action())
def test_the_steps_that_are_varied_are_right_by_themselves(path: Path, action: str):
    assert check_settings(path, written(settings_with(good_step(action)))) is not None


variables = st.builds(
    lambda words: "HOMEOSTAT__" + "__".join(words),
    st.lists(
        st.sampled_from(["RESPONDER", "LISTEN", "STATE_DIR", "CAPS", "0", "", "WORKLOADS", "shop/web"]), max_size=3
    ),
)


@given(st.dictionaries(variables, st.sampled_from(TOKENS) | hostile.nasty_text, max_size=3))
@examples(200)
def test_any_environment(path: Path, environ: dict[str, str]):
    check_settings(path, b"responder: {cooldown: 10s}\ndocker:\n", environ)


def nest(depth: int, first: str, again: str) -> str:
    """Lines of which each means the one before eight times over: eight to the power of ``depth``."""
    lines = [f"a0: &a0 {first}"]
    return "\n".join([*lines, *(f"a{n}: &a{n} {again.replace('*', f'*a{n - 1}')}" for n in range(1, depth))]) + "\n"


MANY = ", ".join(["*"] * 8)
BOMBS = {
    "aliases of lists": nest(12, "[x, x]", f"[{MANY}]"),
    "aliases of mappings": nest(12, "{k: x}", "{" + ", ".join(f"k{n}: *" for n in range(8)) + "}"),
    "merges": nest(12, "{k: x}", f"{{<<: [{MANY}]}}"),
    "aliases in a key": nest(12, "[x, x]", f"[{MANY}]") + "? *a11\n: 1\n",
    "aliases in a key of a key": nest(12, "[x, x]", f"[{MANY}]") + "? {? *a11 : 1}\n: 1\n",
    "a number of lists": nest(12, "[x, x]", f"[{MANY}]") + "b: !!int *a11\n",
    "a mapping that is its own key": "&a {? *a : 1}",
    "a list that is its own key": "? &a [*a]\n: 1",
    "a mapping that is merged into itself": "a: &a {<<: *a}",
    "half a million values": "a: [" + "x, " * 340_000 + "]",
    "half a million keys": "a: {" + "x, " * 340_000 + "}",
    "a number by sixties": "responder: {body_limit: " + ":".join(["59"] * 300_000) + "}",
    "a share by sixties": "a: " + ":".join(["59"] * 300_000) + ".0",
    "a number of a million digits": "a: " + "9" * 1_000_000,
    "a time of a million digits": "a: 2026-01-01T00:00:00." + "9" * 1_000_000,
    "a million brackets": "a: " + "[" * 1_000_000,
    "a million dashes": "- " * 500_000,
    "a million question marks": "? " * 500_000,
    "a million anchors": "&a " * 340_000,
    "a million tags": "!a " * 340_000,
    "a million quotes": "'" * 1_000_000,
    "a million escapes": 'a: "' + "\\x41" * 250_000 + '"',
    "a million empty lines": "a: |\n" + "\n" * 1_000_000,
    "a million comments": "#\n" * 500_000,
    "a million spaces": " " * 1_000_000,
    "a million tabs": "a:" + "\t" * 1_000_000,
    "a million directives": "%a\n" * 340_000,
    "a million documents": "---\n" * 250_000,
    "a key of a million letters": "? " + "x" * 1_000_000 + "\n: 1",
    "a pattern of a million brackets": "exporter: {process_groups: {a: {command: '" + "(" * 1_000_000 + "'}}}",
    "a pattern of repeats": "exporter: {process_groups: {a: {command: '" + "(" * 90 + "a{9}" + "){9}" * 90 + "'}}}",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_is_not_made_a_large_one(path: Path, kind: str):
    memory = Memory("self")
    before = memory.now_mib()
    memory.forget_peak()

    check_settings(path, BOMBS[kind].encode())

    assert memory.peak_mib() - before < 150
