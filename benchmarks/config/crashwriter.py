"""One writer: ``python -m benchmarks.config.crashwriter FOLDER INDEX GOAL LOG``. Read, add one, write; said in LOG once
it is acknowledged. Ends at the goal, if nobody kills it before.
"""

import os
import sys
from pathlib import Path

from benchmarks.config.crashset import COUNTER, PAIRED, WRITERS, counter, numbers, opened, paired
from homeostat.configfiles.edits import Set
from homeostat.configfiles.errors import Busy, Conflict
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.versions import Version

#: So many updates change one file, then one changes both.
_SINGLES = 3


def main() -> None:
    folder, index, goal = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    log = os.open(sys.argv[4], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    files = opened(folder)
    os.write(log, b"ready\n")
    files.recover()
    conflicts = 0
    while True:
        try:
            version = _update(files, index, goal)
        except (Conflict, Busy):
            conflicts += 1
            continue
        if version is None:
            break
        os.write(log, f"ack {version.number} {version.why} {version.digest} {conflicts}\n".encode())
        conflicts = 0
    os.write(log, b"done\n")


def _update(files: ConfigFiles, index: int, goal: int) -> Version | None:
    """None at the goal."""
    snapshot = files.read(COUNTER)
    assert snapshot.found is not None
    now = numbers(snapshot.found.raw)
    total, own = now["TOTAL"] + 1, now[f"WRITER_{index}"] + 1
    if total > goal:
        return None
    who, why = f"writer {index}", str(total)
    if total % (_SINGLES + 1):
        edits = [Set(("TOTAL",), str(total)), Set((f"WRITER_{index}",), str(own))]
        return files.edit(COUNTER, edits, who, why, snapshot.digest)
    owns = {each: now[f"WRITER_{each}"] for each in range(WRITERS)} | {index: own}
    contents = {COUNTER: counter(total, owns, total), PAIRED: paired(total)}
    return files.write(contents, who, why, {COUNTER: snapshot.digest})[0]


if __name__ == "__main__":
    main()
