"""The one program that the kit needs."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.errors import MissingProgram

_NAMES = ("alertmanager", "prometheus-alertmanager")  # upstream's and Debian's
_HOW = (
    "no alertmanager program: put Alertmanager 0.25 or newer on PATH (scripts/servers gets one, Debian's package is"
    " prometheus-alertmanager, releases are at https://github.com/prometheus/alertmanager/releases)"
)


@dataclass(frozen=True, slots=True)
class Program:
    """A real Alertmanager."""

    path: Path
    version: str


def find_alertmanager(environ: Mapping[str, str]) -> Program:
    """From PATH, else from where scripts/servers puts it. Raises MissingProgram."""
    home = Path(environ.get("HOME", "."))
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "homeostat"
    kept = environ.get("HOMEOSTAT_BIN") or str(Path(environ.get("HOMEOSTAT_CACHE") or cache) / "bin")
    path = os.pathsep.join((environ.get("PATH", ""), kept))
    for name in _NAMES:
        if found := shutil.which(name, path=path):
            return Program(Path(found), _version(found))
    raise MissingProgram(_HOW)


def _version(program: str) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as err:
        raise MissingProgram(f"{program} does not run: {err}; {_HOW}") from err
    # Old ones print it on stderr.
    match = re.search(r"version (\S+)", done.stdout + done.stderr)
    return match[1] if match else "unknown"
