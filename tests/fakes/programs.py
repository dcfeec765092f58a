"""Programs of the machine that tests need."""

import os
import shutil
from pathlib import Path

import pytest


def needed(name: str) -> str:
    """The path of a program. Without it, skips on a developer's machine and fails in CI."""
    cache = os.environ.get("HOMEOSTAT_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "homeostat"
    folders = (str(Path(cache).expanduser() / "bin"), os.environ["PATH"], "/usr/sbin")
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"no {name}: run scripts/test-services")
    return found or pytest.skip(f"no {name}: run scripts/test-services")
