"""The two files of the crash scenario, and what is in them: one place for writers, readers and the audit."""

from pathlib import Path

from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.spec import ManagedFile

WRITERS = 2
READERS = 4
COUNTER, PAIRED = "counter", "paired"
#: So that what was once there is still there when it is looked for.
_KEEP = 10**6
#: Of lines that a torn file would show: all say the same.
_LINES = 100


def opened(folder: Path) -> ConfigFiles:
    """As each process opens them."""
    live = folder / "live"
    specs = {
        COUNTER: ManagedFile(path=live / "counter.env", keep=_KEEP),
        PAIRED: ManagedFile(path=live / "paired.env", keep=_KEEP),
    }
    return ConfigFiles(specs, folder / "state")


def counter(total: int, own: dict[int, int], pair: int) -> bytes:
    lines = [f"TOTAL={total}", *(f"WRITER_{index}={own[index]}" for index in range(WRITERS)), f"PAIR={pair}"]
    return ("# counted by several at once\n" + "\n".join(lines) + "\n").encode()


def paired(pair: int) -> bytes:
    return "".join(f"LINE_{index}={pair}\n" for index in range(_LINES)).encode()


def numbers(raw: bytes) -> dict[str, int]:
    """Of either file."""
    pairs = (line.split("=") for line in raw.decode().splitlines() if not line.startswith("#"))
    return {key: int(value) for key, value in pairs}
