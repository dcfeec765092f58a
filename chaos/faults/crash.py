"""The process dies at once.

From the host's PID namespace, not through the Docker API: `docker kill` counts as a stop by request and disarms the
restart policy, so it would test nothing (moby daemon/kill.go).
"""

import os
import signal

from chaos.shop import Victim, run_or_raise

#: Any image with a `kill` will do; this one is there where homeostat runs in containers.
_HELPER_IMAGE = "python:3.13-slim"


class Crash:
    """SIGKILL of the container's first process, or of the supervised process."""

    async def inject(self, victim: Victim) -> None:
        pid = await victim.pid()
        try:
            os.kill(pid, signal.SIGKILL)
        except (PermissionError, ProcessLookupError):
            # Not root, or the engine runs in a virtual machine: from a container in the engine's own PID namespace.
            helper = ("docker", "run", "--rm", "--pid=host", "--privileged", _HELPER_IMAGE, "kill", "-9", str(pid))
            await run_or_raise(*helper)
