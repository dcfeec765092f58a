"""The formats, and which one a file is of by its name."""

from collections.abc import Mapping
from pathlib import Path

from homeostat.configfiles.formats.base import Format
from homeostat.configfiles.formats.env import Env
from homeostat.configfiles.formats.ini import Ini
from homeostat.configfiles.formats.json import Json
from homeostat.configfiles.formats.toml import Toml
from homeostat.configfiles.formats.yaml import Yaml

FORMATS: Mapping[str, Format] = {"env": Env(), "yaml": Yaml(), "json": Json(), "toml": Toml(), "ini": Ini()}

#: Not .cfg and .conf: most of those (haproxy.cfg, nginx.conf, redis.conf) are of none of the formats.
_BY_ENDING = {".env": "env", ".yml": "yaml", ".yaml": "yaml", ".json": "json", ".toml": "toml", ".ini": "ini"}
_BY_NAME = {".env": "env", "setup.cfg": "ini"}


def format_of(path: Path) -> str | None:
    """A key of :data:`FORMATS`; None when the name does not say, and somebody has to: ``.env``, ``.env.local``,
    ``web.env``, ``*.yml``, ``*.yaml``, ``*.json``, ``*.toml``, ``*.ini``, ``setup.cfg``.
    """
    name = path.name.lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name.startswith(".env."):
        return "env"
    return _BY_ENDING.get(Path(name).suffix)
