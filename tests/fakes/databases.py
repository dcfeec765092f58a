"""PostgreSQL and Redis of a test's own: the real servers, each with the server's own view of who is connected."""

import asyncio
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg

#: Superuser of the cluster, let in without a password.
OWNER = "owner"
_UP_WITHIN_S = 20.0


class Postgres:
    """A cluster in ``folder``, which others may enter (pytest's own may not be). All but OWNER need a password."""

    def __init__(self, programs: Mapping[str, Path], folder: Path, port: int) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        # Other users may not come into the cache, which holds links.
        self._programs = {name: programs[name].resolve() for name in ("postgres", "initdb")}
        self.data = folder / "data"
        self._log = folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._create(folder)

    def start(self, **settings: str) -> None:
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", **settings}
        command = [str(self._programs["postgres"]), "-D", str(self.data), "-p", str(self.port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.data, **self._user)
        wait_until_open(self.port, self._process)

    def stop(self) -> None:
        """At once: clients are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)
            self._process = None

    def pause(self) -> None:
        """It takes connections, and answers nobody."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def own(self, *paths: Path) -> None:
        """Give files to the user that the server runs as."""
        if self._user:
            entry = pwd.getpwnam("postgres")
            for path in paths:
                os.chown(path, entry.pw_uid, entry.pw_gid)

    def allow(self, *lines: str) -> None:
        """Lines of pg_hba.conf before all others; for the next start."""
        path = self.data / "pg_hba.conf"
        path.write_text("\n".join([*lines, path.read_text()]))

    async def connect(self, user: str = OWNER, password: str = "", database: str = "postgres") -> Any:
        return await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=user, password=password, database=database, ssl=False
        )

    def _create(self, folder: Path) -> None:
        self.own(folder)
        command = [str(self._programs["initdb"]), "-D", str(self.data), "-U", OWNER, "--auth=trust", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **self._user)
        (self.data / "pg_hba.conf").write_text(
            f"host all {OWNER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Redis:
    """A server in ``folder``."""

    def __init__(self, programs: Mapping[str, Path], folder: Path, port: int) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._program = programs["redis-server"]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        command = [str(self._program), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *options]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        wait_until_open(self.port, self._process)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def connection(self, *login: str) -> Iterator["RedisConnection"]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            connection = RedisConnection(sock)
            if login:
                connection.call("AUTH", *login)
            yield connection


class RedisConnection:
    """Says one thing at a time, in the short form of the protocol."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb")

    def call(self, *words: str) -> str:
        self._sock.sendall(" ".join(words).encode() + b"\r\n")
        line = self._file.readline().decode().rstrip("\r\n")
        if line.startswith("$") and line != "$-1":
            return self._file.read(int(line[1:]) + 2).decode()[:-2]
        return line

    def clients(self) -> list[dict[str, str]]:
        """CLIENT LIST, without this connection."""
        own = self.call("CLIENT", "ID").removeprefix(":")
        rows = [
            dict(pair.split("=", 1) for pair in row.split() if "=" in pair)
            for row in self.call("CLIENT", "LIST").splitlines()
        ]
        return [row for row in rows if row.get("id") not in (None, own)]


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server does not come up")


async def until(condition: Any, within_s: float = 10.0) -> bool:
    """Whether ``condition()``, which may be awaited for, came true in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = condition()
        if await found if asyncio.iscoroutine(found) else found:
            return True
        await asyncio.sleep(0.05)
    return False
