"""What is shown of a file: no secret, whatever the format and whether it is parsed; and everything else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeostat.configfiles.secrets import is_secret_name
from homeostat.configfiles.showing.diff import Side, diff
from homeostat.configfiles.showing.masked import masked_lines

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg/kq+hk\nG9w0x9w=\n-----END PRIVATE KEY-----"
SECRET = "hunter2-Zq"

PARSED = [
    ("env", f"A=1\nDB_PASSWORD={SECRET}\nB=2\n", ["A=1", "DB_PASSWORD=***", "B=2", ""]),
    ("env", f'export API_KEY = "{SECRET}" # why\n', ["export API_KEY = *** # why", ""]),
    ("env", "DB_PASSWORD=\nTOKEN=''\n", ["DB_PASSWORD=", "TOKEN=''", ""]),
    ("env", f"# DB_PASSWORD={SECRET}\n#token: {SECRET}\n", ["# DB_PASSWORD=***", "#token: ***", ""]),
    ("env", f'TLS_KEY="{PEM}"\nB=2\n', ["TLS_KEY=***", "***", "***", "***", "B=2", ""]),
    ("env", f"URL=postgres://app:{SECRET}@db/x\n", ["URL=postgres://***@db/x", ""]),
    ("yaml", f"a:\n  password: {SECRET}  # why\n  b: 1\n", ["a:", "  password: ***  # why", "  b: 1", ""]),
    ("yaml", f"tokens: [{SECRET}, x]\nb: 1\n", ["tokens: [***, ***]", "b: 1", ""]),
    ("yaml", f"key: |\n  {SECRET}\n  # no comment\nb: 1\n", ["key: ***", "***", "***", "b: 1", ""]),
    ("yaml", f"env:\n- DB_PASSWORD={SECRET} x\n- B=1\n", ["env:", "- DB_PASSWORD=***", "- B=1", ""]),
    ("yaml", f"a: b  # old password: {SECRET}\n", ["a: b  # old password: ***", ""]),
    ("yaml", "note: the key is here: look\n", ["note: the key is here: look", ""]),
    ("env", f"A=x?token={SECRET}&y=1\n", ["A=x?token=***", ""]),
    ("yaml", "password: null\ntoken: ~\n", ["password: null", "token: ~", ""]),
    ("json", json.dumps({"password": SECRET, "b": 1}), ['{"password": ***, "b": 1}']),
    ("json", json.dumps({"keys": {"a": [SECRET]}, "b": 1}), ['{"keys": {"a": [***]}, "b": 1}']),
    ("toml", f'[db]\npassword = "{SECRET}"\nport = 1\n', ["[db]", "password = ***", "port = 1", ""]),
    ("toml", f'db = {{auth.token = "{SECRET}", port = 1}}\n', ["db = {auth.token = ***, port = 1}", ""]),
    ("toml", f'key = """\n{SECRET}\n"""\nb = 1\n', ["key = ***", "***", "***", "b = 1", ""]),
    ("ini", f"[db]\npassword = {SECRET}\n  {SECRET}\nport = 1\n", ["[db]", "password = ***", "***", "port = 1", ""]),
]


@pytest.mark.parametrize(("format_name", "text", "shown"), PARSED, ids=[str(row[:2]) for row in PARSED])
def test_the_values_of_secret_keys_are_masked_and_nothing_else_is(format_name, text, shown):
    assert masked_lines(format_name, text, is_secret_name) == shown


NOT_PARSED = [
    ("env", f"A=1\nDB_PASSWORD='{SECRET}\nB=2\n", ["A=1", "DB_PASSWORD=***", "B=2", ""]),
    ("env", f"{SECRET} {SECRET}\nB=2\n", ["***", "B=2", ""]),
    ("env", 'DEBUG="tru\n', ['DEBUG="tru', ""]),
    ("yaml", f"\tx: 1\npassword: {SECRET}\nb: 1\n", ["\tx: 1", "password: ***", "b: 1", ""]),
    ("yaml", f"\tx: 1\ntokens:\n  - {SECRET}\nb: 1\n", ["\tx: 1", "tokens:", "  ***", "b: 1", ""]),
    ("yaml", f"\tx: 1\nkey: |\n  {SECRET}\n  x: 1\nb: 1\n", ["\tx: 1", "key: ***", "  ***", "  ***", "b: 1", ""]),
    ("json", f'{{"token": "{SECRET}",\n "b": 1', ['{"token": ***', " ***"]),
    ("json", f'{{\n "keys": [\n  "{SECRET}"\n ],\n "b": 1', ["{", ' "keys": ***', "  ***", " ***", ' "b": 1']),
    ("toml", f'a = \nkey = """\n{PEM}\n"""\nb = 1', ["a = ", "key = ***", *["***"] * 5, "b = 1"]),
    ("text", f"port 6379\nmasterauth_password {SECRET}\n", ["port 6379", "masterauth_password ***", ""]),
    ("yaml", f"cmd: mysql --password={SECRET} x\n\ty: [", ["cmd: mysql --password=***", "\t***"]),
    ("text", f"mysql --password={SECRET}\n", ["mysql --password=***", ""]),
]


@pytest.mark.parametrize(("format_name", "text", "shown"), NOT_PARSED, ids=[str(row[:2]) for row in NOT_PARSED])
def test_of_what_is_not_parsed_rather_more_is_masked(format_name, text, shown):
    assert masked_lines(format_name, text, is_secret_name) == shown


def test_a_secret_of_one_side_is_masked_wherever_it_stands_on_the_other_one():
    good = f"DB_PASSWORD={SECRET}\n".encode()
    damaged = f"DB_PASSWORD=x\nNOTE=was {SECRET}\n{SECRET}: [\n".encode()

    lines = list(diff(Side("good", good), Side("damaged", damaged), "env", is_secret_name))

    assert SECRET not in "\n".join(lines)
    assert "+NOTE=was ***" in lines


def test_a_change_of_which_all_is_masked_is_seen():
    lines = list(diff(Side("a", b"TOKEN=aaaaaaa\n"), Side("b", b"TOKEN=bbbbbbb\n"), "env", is_secret_name))

    assert lines == ["--- a", "+++ b", "@@ -1 +1 @@", "-TOKEN=***", "+TOKEN=*** (changed)"]


def test_a_line_that_is_new_is_not_said_to_be_changed():
    lines = list(diff(Side("a", b"A=1\n"), Side("b", b"A=1\nTOKEN=bbbbbbb\n"), "env", is_secret_name))

    assert lines[3:] == [" A=1", "+TOKEN=***"]


@pytest.mark.parametrize(
    ("old", "new"), [(b"A=1\n", b"A=1"), (b"A=1\n", b"\xef\xbb\xbfA=1\n"), (b"", b"\xef\xbb\xbf")], ids=str
)
def test_what_no_line_shows_is_said(old, new):
    lines = list(diff(Side("a", old), Side("b", new), "env", is_secret_name))

    assert "differ only in" in lines[-1]


def test_line_ends_that_change_are_seen():
    lines = list(diff(Side("a", b"A=1\nB=2\n"), Side("b", b"A=1\r\nB=2\r\n"), "env", is_secret_name))

    assert lines[-2:] == ["+A=1\\r", "+B=2\\r"]


@given(
    st.sampled_from(["env", "yaml", "json", "toml", "ini", "text"]), st.text(st.characters(codec="utf-8"), max_size=80)
)
def test_of_any_text_there_is_a_line_shown_for_each_line(format_name, text):
    assert len(masked_lines(format_name, text, is_secret_name)) == len(text.split("\n"))


@given(
    st.sampled_from(["env", "yaml", "json", "toml", "ini"]),
    st.text("abcXYZ019 #,:{}[]|>&*!%@=;'\\-", min_size=6, max_size=20).filter(lambda text: text.strip() == text),
    st.text("abc=: #\n'\"[]{}-\t", max_size=12),
    st.text("abc=: #\n'\"[]{}-\t", max_size=12),
)
def test_no_secret_is_shown_whatever_stands_around_it(format_name, secret, before, after):
    written = json.dumps(secret)
    line = {"env": f"X_PASSWORD={written}", "toml": f"x_password = {written}", "ini": f"x_password = {secret}"}.get(
        format_name, f'"x_password": {written}'
    )
    text = f"{before}\n{line}\n{after}"

    shown = "\n".join(masked_lines(format_name, text, is_secret_name))

    assert secret not in shown or secret in before + after
