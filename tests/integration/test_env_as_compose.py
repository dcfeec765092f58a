"""Our reading of `.env` files against the real `docker compose config`: same values, and what it refuses we refuse."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.env import Env, apply, evaluate
from homeostat.configfiles.formats.envscan import Kind, scan
from homeostat.configfiles.formats.envtemplate import Scope
from homeostat.configfiles.lint.fix import fix_env

pytestmark = pytest.mark.docker  # where an engine is, `docker compose` is; no call goes to the engine

CORPUS = Path(__file__).parents[1] / "unit" / "configfiles" / "corpus" / "env"
#: What compose sees of the environment besides PATH, which finds its plugin, and HOME.
ENVIRON = {"OUTSIDE": "from outside", "EMPTY_OUTSIDE": ""}

Values = dict[str, str]
Ask = Callable[[Sequence[str]], list[Values] | None]


def compose(folder: Path, services: dict[str, object], *options: str) -> dict[str, Values] | None:
    """The environment of each service as compose resolves it; None: refused."""
    file = folder / "compose.json"
    file.write_text(json.dumps({"name": "env", "services": services}))
    run = subprocess.run(
        ["docker", "compose", "-f", str(file), *options, "config", "--format", "json"],
        capture_output=True,
        cwd=folder,
        timeout=60,
        check=False,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | ENVIRON,
    )
    if run.returncode:
        return None
    resolved = json.loads(run.stdout)["services"]
    return {
        name: {key: value.replace("$$", "$") for key, value in service.get("environment", {}).items()}
        for name, service in resolved.items()
    }


@pytest.fixture
def as_env_files(tmp_path: Path, engine: str) -> Ask:
    """Asks about many texts at once, each of them the `env_file` of a service."""

    def ask(texts: Sequence[str]) -> list[Values] | None:
        services: dict[str, object] = {}
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.env").write_bytes(text.encode())
            services[f"s{number}"] = {"image": "none", "env_file": [f"{number}.env"]}
        found = compose(tmp_path, services)
        return found and [found[f"s{number}"] for number in range(len(texts))]

    return ask


#: Each of them: compose and we take it, and read the same.
TAKEN = [
    "",
    "\n\n# nothing\n   # indented\n",
    "A=1",
    "A=1\nB=2\n",
    "A=1\r\nB=two words \r\n\r\n# c\r\nC='x'\r\n",
    "  A  =  b c  \n\tB\t:\tc\t\n",
    "export A=1\nexport\tB = 2\nexporting=3\nexport=4\n",
    "A: 1\nB: http://host:80/x\nC:=x\nD==x\nE=a=b\n",
    "a.b=1\na-b=2\na[0]=3\n2FA=4\n_=5\n",
    "A=\nB= \nC=''\nD=\"\"\nE=\t\r\n",
    "A=x # comment\nB=x#not\nC= # not either\nD=#nor\nE=x\t# nor\nF=x  #  c # d\n",
    "A='x' # c\nB=\"y\"# c\nC='z'   \nD='#' #\n",
    "A='$B ${C} \\n \\\\ \" #'\nB=x\n",
    "A='it\\'s'\nB='a\\\\'\nC='a\\\\\\'b'\n",
    'A="\\"quoted\\" \'single\'"\nB="a\\\\"\nC="\\\\\\"\\\\"\n',
    'A="\\a\\b\\f\\n\\r\\t\\v\\\\"\nB="\\c \\x \\u0041 \\\' \\z"\n',
    'A="\\0101 \\0777 \\01 \\0 \\012 \\0389 \\0303 \\01011"\n',
    "A=x\nB=$A ${A} $$A \\$A $A$A a$A-b\nC=$ $1 $- ${A}}\nD=$\n",
    'A=x\nB="$A ${A} $$A \\$A \\\\$A $\\$ \\$$A"\n',
    "A=x\nE=\nB=${A:-d} ${E:-d} ${N:-d} ${A-d} ${E-d} ${N-d}\nC=${A:+d}:${E:+d}:${N:+d}:${A+d}:${E+d}:${N+d}\n",
    "A=x\nE=\nB=${A:?no} ${A?no} ${E?no}\n",
    "A=x\nB=${N:-${A}} ${N:-a${M:-b$A}c} ${N:-$$} ${N:-{}} ${N:-{a}} ${N:-{a} ${N-}} }\n",
    "B=${N:-a}} ${N-b:-c} ${N:--d} ${N:-:?} ${N:-#}\n",
    "B=${N:-a} and ${M:-b} } c\n",
    "A=${B}\nB=1\nC=${B}\n",
    "A=$OUTSIDE\nOUTSIDE=inside\nB=$OUTSIDE ${EMPTY_OUTSIDE:-d} ${EMPTY_OUTSIDE-d}\n",
    "OUTSIDE\nNOWHERE\nexport EMPTY_OUTSIDE\nA=$NOWHERE\n",
    "OUTSIDE \t\r\nA=1\n",
    "A=\"one\ntwo\r\nthree\n\"\nB='\n#no comment\nX=1\n'\nC=3\n",
    'KEY="-----BEGIN KEY-----\nabc+/=\n-----END KEY-----"\n',
    'J={"a": [1, 2], "b": "c"}\nK=\'{"a": "$x"}\'\n',
    "A=a'b\nB=a\"b\nC=a\\\nD=\\n\n",
    "A=b\rc\nB=\x1c\x1fx\nC=x\x1c\n",
    "\u3000A\xa0=\x85x\u2003\nB=\u2003x\n",
    "A=é ñ 日本\nB='😀'\n",
    "A=$É\nA2=x\nB=$A2é\nC=${N:-é}\n",
    "A=%d %s ${N:-%}\n",
]

#: Each of them: refused by compose, and by us.
REFUSED = [
    "A B=1\n",
    "A B\n",
    "not a line\n",
    "A=1\n;comment\n",
    "A!=1\n",
    "A=1\n'B'=2\n",
    "A='x\n",
    'A="x\\"\n',
    "A='x\\'\n",
    "A='x' 'y'\n",
    "A=${\n",
    "A=${B\n",
    "A=${1}\n",
    "A=${}\n",
    "A=${B:x}\n",
    "A=${B.C}\n",
    'A="${B:-x\ny}"\n',
    "A=${B:?needed}\n",
    "A=1\nB=${A:+${C:?needed}}\n",
    "A=${B:-${}}\n",
    "E=\nA=${E:?needed}\n",
    "export \n=\nA!\n",
    "\ufeffA=1\nB\ufeff=1\n",
    "export ",
    "A\u2003=1\n",
]

#: Each of them: taken by compose, refused by us on purpose (envscan.py and env.py say why).
STRICTER = [
    "A=1\nA=2\n",
    "É=1\n",
    "A\tB=1\n",
    "=1\n",
    ".A=1\n",
    "A='x' B=y\n",
    "A='x'y\n",
    "A=1\nB",
    "export\nA=1\n",
    'A="\\0000"\n',
    "A=" + "${B:-" * 12 + "}" * 12 + "\n",
    "A=" + "x" * 2000 + "\nB=" + "$A" * 600 + "\n",
]


def read(text: str) -> Values | None:
    """None: refused."""
    try:
        return {key: str(value) for key, value in evaluate(text, ENVIRON).data.items()}
    except NotParsed:
        return None


def test_values_are_those_that_compose_reads(as_env_files: Ask):
    theirs = as_env_files(TAKEN)

    assert theirs == [read(text) for text in TAKEN]


@pytest.mark.parametrize("text", REFUSED)
def test_what_compose_refuses_is_refused(text: str, as_env_files: Ask):
    assert as_env_files([text]) is None
    assert read(text) is None


def test_what_is_refused_on_purpose_compose_takes(as_env_files: Ask):
    assert as_env_files(STRICTER) is not None
    assert [read(text) for text in STRICTER] == [None] * len(STRICTER)


def test_the_file_that_interpolates_a_compose_file_is_read_the_same(tmp_path: Path, engine: str):
    text = "A=x # c\nB=\"$A\\n${N:-d}\"\nC='$A'\nD: $$A\nexport E=${OUTSIDE:+o}\nOUTSIDE\n"
    (tmp_path / "test.env").write_text(text)
    wanted = read(text)
    assert wanted is not None
    environment = {name: f"${{{name}}}" for name in wanted}

    found = compose(tmp_path, {"s": {"image": "none", "environment": environment}}, "--env-file", "test.env")

    assert found == {"s": wanted}


def test_the_corpus_is_read_as_compose_reads_it(as_env_files: Ask):
    texts = [path.read_bytes().decode() for path in sorted(CORPUS.glob("*.env"))]

    assert as_env_files(texts) == [read(text) for text in texts]


NAME = st.sampled_from(["A", "B", "C_1", "d.e", "OUTSIDE"])
SNIPPETS = [
    "${A}",
    "${B:-x}",
    "${A-x}",
    "${C_1:+",
    "${B:-",
    "}",
    "{",
    "$A",
    "$$",
    "$",
    "\\",
    "\\n",
    "\\0101",
    '"',
    "'",
    " #",
    "#",
]
INSIDE = st.lists(st.sampled_from([*SNIPPETS, "\n", "\r", "\t", " ", "x", "é", "=", ":", "-", "\xa0"]), max_size=8).map(
    "".join
)
START = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "", " ", "export ", "# ", "export\t"]),
    NAME,
    st.sampled_from(["=", "=", "=", ": ", " = ", " =\t"]),
)
PLAIN = st.builds("{}{}".format, START, INSIDE.map(lambda text: text.replace("\n", " ")))
QUOTED = st.builds(
    "{0}{1}{2}{1}{3}".format, START, st.sampled_from("'\""), INSIDE, st.sampled_from(["", "", " ", " # c", "#c"])
)
LINE = st.builds("{}{}".format, PLAIN | QUOTED | NAME | INSIDE, st.sampled_from(["\n", "\n", "\r\n", "\n\n", ""]))
FILE = st.lists(LINE, max_size=5).map("".join)


def made(strategy: st.SearchStrategy[str], count: int, number: int) -> list[str]:
    """Always the same texts: compose is asked about all of them in few calls."""
    texts: dict[str, None] = {}

    @seed(number)
    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(text: str) -> None:
        texts[text] = None

    collect()
    return list(texts)


def stricter(text: str) -> bool:
    """For one of the reasons for which we refuse what compose takes."""
    try:
        evaluate(text, ENVIRON)
    except NotParsed as err:
        reasons = ("given before", "after the closing quote", "name alone", "no name", "not NAME=value", "NUL", "deep")
        return any(reason in err.words for reason in reasons)
    return False


def test_made_files_that_are_taken_have_the_values_that_compose_reads(as_env_files: Ask):
    texts = [text for text in made(FILE, 800, 1) if read(text) is not None]
    assert len(texts) > 150

    theirs = as_env_files(texts)

    assert theirs == [read(text) for text in texts]


def test_made_files_that_are_refused_for_no_reason_of_ours_compose_refuses(as_env_files: Ask):
    texts = [text for text in made(LINE, 300, 2) if read(text) is None and not stricter(text)][:40]
    assert len(texts) > 20

    assert [text for text in texts if as_env_files([text]) is not None] == []


def test_written_values_are_what_compose_reads(as_env_files: Ask):
    values = [value.replace("\0", "") for value in made(INSIDE | st.text(st.characters(codec="utf-8")), 300, 3)]
    starts = ("", "A=\n", "A='x' # c\r\n", 'export A="x\ny" # c\n', "A: x # c\n", "A=x\n# c", "A=1")
    texts = [Env().set(start, ("A",), value) for value in values for start in starts]

    theirs = as_env_files(texts)

    assert theirs == [{"A": value} for value in values for _ in starts]
    assert all(line.kind is not Kind.MALFORMED for text in texts for line in scan(text))


def is_plain(text: str) -> bool:
    """All of its lines can be read, and nothing from the environment plays a part."""
    scope = Scope({})
    try:
        for line in scan(text):
            if line.kind is Kind.MALFORMED:
                return False
            if line.is_key:
                apply(line, scope)
    except NotParsed:
        return False
    return "OUTSIDE" not in text


def test_compose_reads_from_a_fixed_file_what_it_read_before(as_env_files: Ask):
    texts = [text for text in made(FILE, 1500, 4) if is_plain(text)]
    fixed = [fix_env(text).text for text in texts]
    assert sum(read(text) is None for text in texts) > 20  # keys given twice
    assert sum(text != better for text, better in zip(texts, fixed, strict=True)) > 100

    before, after = as_env_files(texts), as_env_files(fixed)

    assert before is not None
    assert before == after
