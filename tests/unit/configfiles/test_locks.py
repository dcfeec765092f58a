"""One at a time: who waits is told for whom; who dies frees it."""

import os
import signal

import pytest

from homeostat import files
from homeostat.configfiles.errors import Busy, FileRefused
from homeostat.configfiles.locks import locked


def hold(path, wait_s):
    with locked(path, wait_s):
        pytest.fail("held by two, or where it cannot be")


def test_who_waits_too_long_is_told_who_holds_it(tmp_path):
    holder = rf"held by process {os.getpid()}.* 0\.05 s; wait, or"

    with files.lock(tmp_path / "lock"), pytest.raises(Busy, match=holder):
        hold(tmp_path / "lock", 0.05)


def test_who_waits_gets_it_once_it_is_free(tmp_path):
    slept, held = [], files.lock(tmp_path / "lock")
    held.__enter__()

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            held.__exit__(None, None, None)

    with locked(tmp_path / "lock", 10.0, now=lambda: sum(slept), sleep=sleep):
        pass

    assert len(slept) == 3


def test_it_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock", 0.0):
        raise ZeroDivisionError

    with locked(tmp_path / "lock", 0.0):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process")
def test_who_is_killed_frees_it(tmp_path):
    child = os.fork()
    if child == 0:
        with locked(tmp_path / "lock", 0.0):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)

    with locked(tmp_path / "lock", 0.0):
        pass

    assert (tmp_path / "lock").exists()


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path):
    (tmp_path / "state").write_text("a file")

    with pytest.raises(FileRefused, match=r"lock: cannot be locked: .*; free disk space there, or let") as refused:
        hold(tmp_path / "state" / "lock", 0.0)

    assert "\n" not in str(refused.value)
