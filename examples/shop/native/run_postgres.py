"""PostgreSQL under a process supervisor, without Docker: create the cluster if there is none, then run it.

Stays the parent of ``postgres`` because SIGTERM means "wait for all clients" to it; a supervisor means "now".
"""

import argparse
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
DATABASE = USER = "shop"


def main() -> int:
    """Exit status of postgres."""
    data, port = read_options()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() == 0:
        leave_root(data)
    os.chdir(data)
    if not (data / "PG_VERSION").exists():
        create_cluster(data)
    postgres = [find_binary("postgres"), "-D", str(data), "-k", str(data)]
    return run_until_told([*postgres, "-h", "127.0.0.1", "-p", str(port)])


def read_options() -> tuple[Path, int]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory; created when missing")
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    options = parser.parse_args()
    return options.data.resolve(), options.port


def leave_root(data: Path) -> None:
    """PostgreSQL refuses to run as root: become ``postgres``, or ``nobody`` where that does not exist."""
    accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    os.chown(data, account.pw_uid, account.pw_gid)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def find_binary(name: str) -> str:
    """The newest of Debian's, which are not in PATH; else from PATH."""
    installed = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(installed, key=lambda path: float(path.parts[-3]), default=None)
    found = str(newest) if newest else shutil.which(name)
    if found is None:
        sys.exit(f"run_postgres: no {name} in /usr/lib/postgresql/*/bin or PATH: install postgresql")
    return found


def create_cluster(data: Path) -> None:
    """Role and database ``shop``; the password is SHOP_POSTGRES_PASSWORD."""
    with tempfile.NamedTemporaryFile("w") as password:
        password.write(os.environ.get("SHOP_POSTGRES_PASSWORD", "shop-demo"))
        password.flush()
        options = ["-U", USER, "--pwfile", password.name, "--auth=scram-sha-256", "--encoding=UTF8"]
        run([find_binary("initdb"), "-D", str(data), "--no-instructions", *options])
    single_user = [find_binary("postgres"), "--single", "-D", str(data), "postgres"]
    run(single_user, stdin=f"CREATE DATABASE {DATABASE}\n")


def run(command: list[str], stdin: str = "") -> None:
    done = subprocess.run(command, input=stdin, text=True, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"run_postgres: {Path(command[0]).name} failed with status {done.returncode}")


def run_until_told(command: list[str]) -> int:
    """SIGTERM and SIGINT both end postgres fast: clients are cut, data is safe."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # none is lost before there is a child
    child = subprocess.Popen(command, preexec_fn=follow_parent)  # noqa: PLW1509 - there are no threads here
    for number in signals:
        signal.signal(number, lambda *_: child.send_signal(signal.SIGINT))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    return child.wait()


def follow_parent() -> None:
    """In the child: receive signals, and end when this script is killed, so that a new one can start."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
