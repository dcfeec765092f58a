"""The managed files of an installation: those of homeostat.yml, and homeostat.yml itself, by the same code."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeostat import settings as settings_file
from homeostat.configfiles.checks import RunCheck, no_program
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.schema import Schema
from homeostat.configfiles.schema.base import Violation
from homeostat.configfiles.spec import Foreign, ManagedFile
from homeostat.configfiles.validation import schema_file
from homeostat.errors import SettingsError
from homeostat.settings import Settings

#: The name under which homeostat.yml is managed.
OWN = "homeostat"
#: Whoever is at work on it is in no hurry: all services go on with the settings that they have read.
_OWN_SETTLE_S = 60.0


@dataclass(frozen=True, slots=True)
class SettingsSchema:
    """What homeostat itself says of its settings."""

    path: Path
    environ: Mapping[str, str]

    def check(self, data: Mapping[str, object]) -> Sequence[Violation]:
        try:
            settings_file.build(_copied(data), {}, "", base=self.path.parent.resolve(), environ=self.environ)
        except SettingsError as err:
            return [Violation(path=(), words=problem.removeprefix(": "), rule="settings") for problem in err.problems]
        return ()


def config_files(
    settings: Settings,
    path: Path | None,
    run_check: RunCheck = no_program,
    *,
    wait_s: float = 30.0,
    environ: Mapping[str, str] = os.environ,
) -> ConfigFiles:
    """``path``: of homeostat.yml, None where there is none. A file of the name ``homeostat`` is always that one."""
    specs = dict(settings.config_files)
    folder = settings.config_dir or settings.state_dir / "config"
    if path is None:
        return ConfigFiles(specs, folder, run_check, wait_s=wait_s)
    # People edit it by hand, and what is valid is meant so.
    own = ManagedFile(path=path.absolute(), format="yaml", settle=_OWN_SETTLE_S, foreign=Foreign.ACCEPT)
    specs[OWN] = own

    def schema_of(spec: ManagedFile) -> Schema | None:
        return SettingsSchema(own.path, environ) if spec is own else schema_file(spec)

    return ConfigFiles(specs, folder, run_check, wait_s=wait_s, schema_of=schema_of)


def _copied(data: object) -> dict[str, object]:
    """Building settings puts the environment's values into what it is given."""
    assert isinstance(data, dict)  # noqa: S101 - YAML files of settings are mappings, else they are not parsed
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in data.items()}
