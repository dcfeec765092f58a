"""A change is checked whole, as it will be: each file, those that must fit to it, and by the owner's program."""

from pathlib import Path

import pytest

from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.spec import ManagedFile

WHO = "a person"
COMPOSE = b"services:\n  web:\n    image: x\n    environment:\n      PORT: ${PORT}\n"


@pytest.fixture
def shop(tmp_path, live):
    """A function that opens a compose file and the .env file that it needs, both managed."""
    (live / "compose.yml").write_bytes(COMPOSE)
    (live / ".env").write_bytes(b"PORT=80\n")

    def open_them(**more):
        specs = {
            "env": ManagedFile(path=live / ".env", compose=(live / "compose.yml",), example=live / ".env.example"),
            "compose": ManagedFile(path=live / "compose.yml", **more.pop("compose", {})),
        }
        return ConfigFiles(specs, tmp_path / "state", wait_s=0.2, **more)

    return open_them


def test_a_file_that_another_one_would_not_fit_any_more_is_not_changed(shop, live):
    new = COMPOSE.replace(b"${PORT}", b"${PORT}${HOST}")

    with pytest.raises(Invalid, match=r"\.env: .*compose\.yml:5.*HOST") as refused:
        shop().write({"compose": new}, WHO, "")

    assert set(refused.value.flaws) == {"env"}
    assert (live / "compose.yml").read_bytes() == COMPOSE


def test_both_can_be_changed_together_to_what_fits(shop, live):
    new = COMPOSE.replace(b"${PORT}", b"${HOST}")

    shop().write({"compose": new, "env": b"HOST=a\n"}, WHO, "")

    assert ((live / "compose.yml").read_bytes(), (live / ".env").read_bytes()) == (new, b"HOST=a\n")


def test_a_flaw_that_another_file_has_already_does_not_stop_a_change(shop, live):
    (live / ".env").write_bytes(b"HOST=a\n")

    shop().write({"compose": COMPOSE + b"# why\n"}, WHO, "")

    assert (live / "compose.yml").read_bytes().endswith(b"# why\n")


def test_keys_of_the_example_are_asked_for(shop, live):
    (live / ".env.example").write_bytes(b"PORT=\nHOST=\n")

    with pytest.raises(Invalid, match=r"HOST is in \.env\.example and not here; add it"):
        shop().write({"env": b"PORT=81\n"}, WHO, "")


@pytest.mark.parametrize(("name", "raw"), [(".env.example", b"PORT='\n"), ("compose.yml", b"services: [\n")])
def test_a_damaged_file_beside_it_is_named(shop, live, name, raw):
    (live / name).write_bytes(raw)

    with pytest.raises(FileRefused, match=rf"{name}:\d+.*; mend it, as another file has to fit to it") as refused:
        shop().write({"env": b"PORT=81\n"}, WHO, "")

    assert "\n" not in str(refused.value)


def test_the_owners_program_sees_the_staged_file_and_its_word_counts(shop, live):
    seen = []

    def run(argv, timeout_s):
        staged = Path(argv[1].removeprefix("--file="))
        seen.append((argv[0], staged.read_bytes(), timeout_s, (live / "compose.yml").read_bytes()))
        return "line 3: unknown word"

    checked = {"check": ("look", "--file={file}"), "check_timeout": 2.0}
    with pytest.raises(Invalid, match=r"compose\.yml: look refused it: line 3: unknown word"):
        shop(compose=checked, run_check=run).write({"compose": COMPOSE + b"#\n"}, WHO, "")

    assert seen == [("look", COMPOSE + b"#\n", 2.0, COMPOSE)]
    assert (live / "compose.yml").read_bytes() == COMPOSE
    assert sorted(path.name for path in live.iterdir()) == [".env", "compose.yml"]


def test_what_a_program_was_to_check_is_not_changed_where_none_can_be_run(shop, live):
    with pytest.raises(Invalid, match="no program can be run here, and look was to check it"):
        shop(compose={"check": ("look", "{file}")}).write({"compose": COMPOSE + b"#\n"}, WHO, "")

    assert (live / "compose.yml").read_bytes() == COMPOSE


def test_of_very_many_flaws_the_first_are_told(shop, live):
    (live / ".env.example").write_text("".join(f"KEY{number}=\n" for number in range(100)))

    with pytest.raises(Invalid, match="and 95 more") as refused:
        shop().write({"env": b"PORT=81\n"}, WHO, "")

    assert len(str(refused.value).splitlines()) == 6
