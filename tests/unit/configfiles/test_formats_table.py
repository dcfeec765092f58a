"""Which format a file is of, by its name; each is in the table."""

from pathlib import Path

import pytest

from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.table import FORMATS, format_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".env", "env"),
        (".env.local", "env"),
        (".env.yml", "env"),
        ("web.env", "env"),
        ("compose.yml", "yaml"),
        ("Compose.YAML", "yaml"),
        ("a.b.json", "json"),
        ("pyproject.toml", "toml"),
        ("grafana.ini", "ini"),
        ("setup.cfg", "ini"),
        ("haproxy.cfg", None),
        ("nginx.conf", None),
        (".envrc", None),
        ("env", None),
        ("yml", None),
        ("", None),
    ],
)
def test_the_name_says_the_format_or_nothing(name: str, kind: str | None):
    assert format_of(Path("/srv/app.json") / name) == (kind if name else "json")


def test_every_format_reads_the_least_there_is():
    texts = {"env": "", "yaml": "", "json": "{}", "toml": "", "ini": ""}

    assert {name: FORMATS[name].read(text) for name, text in texts.items()} == dict.fromkeys(FORMATS, Parsed({}, {}))
