"""Windows job objects: a process with all its descendants, ended at once.

Not KILL_ON_JOB_CLOSE: supervised processes live on when the guardian dies. A job's name goes with its last handle,
so the next guardian cannot open the job of a process that it adopts; it ends that one process by process.
"""

import contextlib
import sys
from dataclasses import dataclass
from typing import Protocol

#: Popen's creation flags. Suspended: in its job before its first instruction, so no child escapes.
CREATE_SUSPENDED = 0x00000004
CREATE_NEW_PROCESS_GROUP = 0x00000200
CREATE_NO_WINDOW = 0x08000000


class Jobs(Protocol):
    """What is needed of kernel32, handles as integers. Raises OSError with the Windows error."""

    def create(self) -> int: ...

    def assign(self, job: int, process: int) -> None: ...

    def terminate(self, job: int) -> None: ...

    def close(self, job: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """One process and all that it starts, held together."""

    jobs: Jobs
    handle: int

    def terminate(self) -> None:
        """End all of it; where that is refused, each process is still to be ended."""
        with contextlib.suppress(OSError):
            self.jobs.terminate(self.handle)

    def close(self) -> None:
        """Hold it no longer: what lives goes on."""
        self.jobs.close(self.handle)


def contained(jobs: Jobs, process: int) -> Job | None:
    """A new job with this process in it. None where there can be none, as in a job already that allows no other."""
    handle = None
    try:
        handle = jobs.create()
        jobs.assign(handle, process)
    except OSError:
        if handle is not None:
            jobs.close(handle)
        return None
    return Job(jobs, handle)


if sys.platform == "win32":
    import ctypes

    def system_jobs() -> Jobs:
        return _Kernel32()

    class _Kernel32:
        def __init__(self) -> None:
            self._dll = ctypes.WinDLL("kernel32", use_last_error=True)
            self._dll.CreateJobObjectW.restype = ctypes.c_void_p

        def create(self) -> int:
            return self._checked(self._dll.CreateJobObjectW(None, None))

        def assign(self, job: int, process: int) -> None:
            handles = ctypes.c_void_p(job), ctypes.c_void_p(process)
            self._checked(self._dll.AssignProcessToJobObject(*handles))

        def terminate(self, job: int) -> None:
            self._checked(self._dll.TerminateJobObject(ctypes.c_void_p(job), 1))

        def close(self, job: int) -> None:
            self._dll.CloseHandle(ctypes.c_void_p(job))

        def _checked(self, result: int | None) -> int:
            if not result:
                raise ctypes.WinError(ctypes.get_last_error())
            return result

else:

    def system_jobs() -> Jobs:
        raise NotImplementedError("job objects are of Windows")
