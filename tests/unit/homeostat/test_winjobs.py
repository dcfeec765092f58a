"""Job objects, with every refusal of Windows."""

import subprocess
import sys

import psutil
import pytest

from homeostat.winjobs import CREATE_SUSPENDED, Job, contained, system_jobs

TREE = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


class Kernel:
    """Jobs that refuses the calls named in ``failing``."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.log: list[tuple[str, ...] | tuple[str, int]] = []

    def _call(self, name: str, *arguments: int) -> None:
        self.log.append((name, *arguments))
        if name in self.failing:
            raise PermissionError(13, "access is denied")

    def create(self) -> int:
        self._call("create")
        return 77

    def assign(self, job: int, process: int) -> None:
        self._call("assign", job, process)

    def terminate(self, job: int) -> None:
        self._call("terminate", job)

    def close(self, job: int) -> None:
        self._call("close", job)


def test_a_process_is_in_its_job():
    kernel = Kernel()

    job = contained(kernel, 123)

    assert (job, kernel.log) == (Job(kernel, 77), [("create",), ("assign", 77, 123)])


@pytest.mark.parametrize(
    ("refused", "log"), [("create", [("create",)]), ("assign", [("create",), ("assign", 77, 123), ("close", 77)])]
)
def test_where_there_can_be_no_job_nothing_is_left_of_it(refused, log):
    kernel = Kernel(refused)

    assert contained(kernel, 123) is None
    assert kernel.log == log


def test_a_job_that_cannot_be_ended_is_no_error():
    kernel = Kernel("terminate")
    job = Job(kernel, 77)

    job.terminate()
    job.close()

    assert kernel.log == [("terminate", 77), ("close", 77)]


@pytest.mark.skipif(sys.platform == "win32", reason="other systems")
def test_only_windows_has_jobs():
    with pytest.raises(NotImplementedError):
        system_jobs()


@pytest.mark.skipif(sys.platform != "win32", reason="Windows")
def test_a_real_job_is_ended_with_all_that_is_in_it():
    argv = [sys.executable, "-c", TREE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, creationflags=CREATE_SUSPENDED) as process:
        job = contained(system_jobs(), int(process._handle))
        psutil.Process(process.pid).resume()
        child = psutil.Process(int(process.stdout.readline()))

        job.terminate()
        job.close()

        assert (process.wait(10), child.wait(10)) == (1, 1)
