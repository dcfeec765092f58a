"""Every source of evidence. Adding one: a file here, a line below; the shares leave a third to the logs."""

from responder.capture import health, logs, memory, processes, sockets, state
from responder.capture.base import Source

SOURCES = (
    Source("state", state.look, 0.10),
    Source("health", health.look, 0.12),
    Source("processes", processes.look, 0.12),
    Source("memory", memory.look, 0.08),
    Source("sockets", sockets.look, 0.10),
    Source("logs", logs.look, None),
)
