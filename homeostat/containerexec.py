"""A program run in a container, by the engine's exec, to its end or its deadline."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from homeostat.clock import SystemClock
from homeostat.loosejson import count, number, part, required, required_text, text
from homeostat.threads import run_in_thread

if TYPE_CHECKING:
    from homeostat.dockerapi import DockerApi

T = TypeVar("T")

#: Of what the program says: enough for the error at the end of it.
TAIL_BYTES = 64 * 1024
#: The engine tells of an end a moment after the last output.
_POLL_S = 0.05
#: For the thread that reads, once there is nothing more to read.
_READER_ENDS_S = 1.0
_CREATE_S = 10.0
#: "Attach to a container" in the engine's API: stream, 0, 0, 0, length as big endian.
_HEADER_BYTES = 8
_CLOCK: Final = SystemClock()


@dataclass(frozen=True, slots=True)
class ExecResult:
    """``exit_code``: None when it was not over in time; it runs on then, since no engine can end it.

    ``output``: the last bytes of stdout and stderr together, as text. ``pid``: as the engine's machine has it, 0 when
    unknown.
    """

    exit_code: int | None
    output: str
    pid: int


class Call(Protocol):
    """A blocking call of the engine's, in a thread."""

    async def __call__(self, call: Callable[["DockerApi"], T], timeout_s: float = ...) -> T: ...


async def run(
    call: Call, container_id: str, argv: Sequence[str], timeout_s: float, env: Mapping[str, str]
) -> ExecResult:
    """``timeout_s``: from its start on. Raises as the engine's other calls do.

    Permanent when the container is paused, or does not run.
    """
    body = {
        "AttachStdout": True,
        "AttachStderr": True,
        "Cmd": list(argv),
        "Env": [f"{name}={value}" for name, value in env.items()],
    }
    exec_id = await call(lambda api: _id(api.ask(f"/containers/{container_id}/exec", {}, body, _CREATE_S)))
    # Its own read timeout is past ours: a silent program is ended by us, not by a broken connection.
    stream = await call(lambda api: api.stream(f"/exec/{exec_id}/start", {"Detach": False}, 2 * timeout_s))
    tail = Tail()
    reading = run_in_thread(lambda: tail.take_all(stream), lambda: None)
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.wait([reading])
            while (state := await _state(call, exec_id)).is_running:
                await _CLOCK.sleep(_POLL_S)
    except TimeoutError:
        state = await _state(call, exec_id)
    finally:
        stream.close()
    await asyncio.wait([reading], timeout=_READER_ENDS_S)
    return ExecResult(None if state.is_running else state.exit_code, tail.text(), state.pid)


def has_own_pids(raw: object) -> bool:
    """From an inspect answer: whether pid 1 in it is its own main process, not the host's or another container's."""
    return text(part(required(raw, "the answer"), "HostConfig"), "PidMode") in ("", "private")  # Podman's word


class Tail:
    """What a program says, out of the engine's frames: all of it is taken, the end of it is kept."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0
        self._kept = bytearray()

    def take_all(self, chunks: Iterable[bytes]) -> None:
        """Blocks until there are no more."""
        for chunk in chunks:
            self.take(chunk)

    def take(self, chunk: bytes) -> None:
        """A chunk may begin and end anywhere in a frame."""
        while chunk:
            if self._left:
                self._keep(chunk[: self._left])
                chunk, self._left = chunk[self._left :], max(self._left - len(chunk), 0)
            else:
                wanted = _HEADER_BYTES - len(self._header)
                self._header += chunk[:wanted]
                chunk = chunk[wanted:]
                if len(self._header) == _HEADER_BYTES:
                    self._left = int.from_bytes(self._header[4:], "big")
                    self._header.clear()

    def text(self) -> str:
        return self._kept[-TAIL_BYTES:].decode(errors="replace")

    def _keep(self, data: bytes) -> None:
        self._kept += data
        # Cut at twice the size: cutting at every chunk would copy the tail each time.
        if len(self._kept) > 2 * TAIL_BYTES:
            del self._kept[:-TAIL_BYTES]


@dataclass(frozen=True, slots=True)
class _State:
    is_running: bool
    exit_code: int
    pid: int


async def _state(call: Call, exec_id: str) -> _State:
    raw = required(await call(lambda api: api.get(f"/exec/{exec_id}/json", {}, _CREATE_S)), "the state of an exec")
    return _State(raw.get("Running") is True, number(raw, "ExitCode"), count(raw, "Pid"))


def _id(raw: Any) -> str:
    return required_text(required(raw, "the answer"), "Id")
