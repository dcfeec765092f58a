"""Between a client and an engine: one that writes down what is asked for, and a real HAProxy with a given file."""

import asyncio
import contextlib
import os
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

_REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\S+) HTTP/1\.1\r\n")
#: What differs from one request to the next: the API's version; the id of a container, image or exec.
_VERSION = re.compile(r"^/v1\.[0-9]+/")
_ID = re.compile(r"(?<=/)(containers|images|exec)/(?!json$|prune$|create$)[^/]+")


def shape(target: str) -> str:
    """``/vN/containers/ID/json`` from ``/v1.45/containers/f00/json?x=y``."""
    path = _VERSION.sub("/vN/", target.partition("?")[0])
    return _ID.sub(r"\1/ID", path)


@dataclass
class Recorder:
    """``host``: its address for a client. ``asked``: (method, shape of the path), as they come."""

    socket: Path
    host: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(self.socket))
        with contextlib.closing(back), contextlib.closing(writer):
            answering = asyncio.create_task(_copy(there, writer))
            self.open[asyncio.current_task()] = writer
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65536):
                    if found := _REQUEST.match(data):  # the client sends a request's head in one piece
                        self.asked.append((found[1].decode(), shape(found[2].decode())))
                    back.write(data)
                    await back.drain()
        await asyncio.wait([answering])

    async def end(self) -> None:
        for writer in self.open.values():
            writer.close()
        if self.open:
            await asyncio.wait(self.open)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def recording(socket: Path) -> AsyncIterator[Recorder]:
    recorder = Recorder(socket)
    server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0)
    recorder.host = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield recorder
    finally:
        server.close()
        await recorder.end()


@asynccontextmanager
async def haproxy(program: str, config: str, folder: Path, env: Mapping[str, str]) -> AsyncIterator[None]:
    """A HAProxy that runs while the block runs."""
    (folder / "haproxy.cfg").write_text(config)
    log = folder / "haproxy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "-db", "-f", folder / "haproxy.cfg"], stdout=output, stderr=output, env={**_environment(), **env}
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.kill()
        process.wait(5)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
