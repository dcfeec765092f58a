"""Managed files of the tests: plain text files and .env files in one folder, their versions in another."""

import itertools
import os

import pytest

from homeostat.configfiles.disk import Disk
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.spec import ManagedFile


@pytest.fixture
def live(tmp_path):
    folder = tmp_path / "live"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(tmp_path, live):
    """A function that opens the files ``web`` (.env), ``app`` and ``other`` (text). ``spec``: settings of each file;
    other keywords are ConfigFiles's.
    """
    ticks = itertools.count(1_700_000_000)

    def open_them(spec=None, **more):
        specs = {
            "web": ManagedFile(path=live / "web.env", **(spec or {})),
            "app": ManagedFile(path=live / "app.txt", format="text", **(spec or {})),
            "other": ManagedFile(path=live / "other.txt", format="text", **(spec or {})),
        }
        given = {"now": lambda: float(next(ticks)), "wait_s": 0.2, "disk": Disk(), **more}
        return ConfigFiles(specs, tmp_path / "state", **given)

    return open_them


@pytest.fixture
def no_sync(monkeypatch):
    """For tests with many changes that lose no power."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def strays(tmp_path):
    """A function that lists what a crash could leave: staged files anywhere, and journal entries."""

    def listed():
        return sorted(
            str(path.relative_to(tmp_path))
            for path in tmp_path.rglob("*")
            if ".homeostat-" in path.name or path.parent.name == "pending"
        )

    return listed
