"""Commands as click's own runner calls them."""

import pytest
from click.testing import CliRunner

from cli import common
from cli.leaks import leaks
from homeostat import log


@pytest.fixture
def run(monkeypatch):
    """``homeostat leaks ARGS`` on a wide screen, with ``stdin``; gives click's result."""
    monkeypatch.setattr(common.console, "_width", 200)
    runner = CliRunner()

    def call(*arguments, stdin=None):
        return runner.invoke(leaks, [str(argument) for argument in arguments], input=stdin, prog_name="homeostat leaks")

    return call


@pytest.fixture(autouse=True)
def _logging_of_the_tests(monkeypatch):
    """The whole command sets up logging for its process, which here is that of all tests."""
    monkeypatch.setattr(log, "configure", lambda: None)
