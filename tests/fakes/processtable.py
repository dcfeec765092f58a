"""Processes at homeostat's own seam, and a /proc folder of files for one."""

from dataclasses import dataclass, field

from exporters.processtable import State, Usage

STAT = (
    "{pid} ({name}) {state} 1 {pid} {pid} 0 -1 4194560 100 200 0 0 {user} {system} 7 8 20 0 {threads} 0 {start} "
    "170680320 {rss} 18446744073709551615 1 1 0 0 0 0 671173123 4096 1260 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
)
STATUS = """Name:\t{name}
State:\tS (sleeping)
VmRSS:\t   40000 kB
RssAnon:\t   {anon} kB
RssFile:\t   10000 kB
Threads:\t{threads}
voluntary_ctxt_switches:\t{voluntary}
nonvoluntary_ctxt_switches:\t{involuntary}
"""
LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            {soft:<20} 1048576              files
Max locked memory         8388608              8388608              bytes
"""
_DEFAULTS = {
    "state": "S",
    "user": 100,
    "system": 50,
    "threads": 3,
    "start": 5000,
    "rss": 10000,
    "anon": 30000,
    "voluntary": 11,
    "involuntary": 4,
    "soft": 1024,
}


def write_process(proc, pid, name, command=b"", **values):
    """``proc/PID`` as the kernel shows it. ``name`` may be bytes."""
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    raw = name if isinstance(name, bytes) else name.encode()
    given = {**_DEFAULTS, "pid": pid, "name": "NAME"} | values
    (folder / "stat").write_bytes(STAT.format(**given).encode().replace(b"NAME", raw))
    (folder / "status").write_bytes(STATUS.format(**given).encode().replace(b"NAME", raw))
    (folder / "limits").write_text(LIMITS.format(**given))
    (folder / "cmdline").write_bytes(command)
    (folder / "fd").mkdir(exist_ok=True)
    return folder


@dataclass
class FakeProcess:
    """A process that says this, and remembers how often it was asked for its command line."""

    pid: int
    name: str
    line: str = ""
    state: State = State.SLEEPING
    born: float = 1000.0
    use: Usage | None = field(default_factory=lambda: Usage(0.0))
    is_hidden: bool = False
    asked: int = 0
    session: int = 0

    @property
    def key(self):
        return (self.pid, self.born)

    @property
    def started_at(self):
        return self.born

    def command(self):
        self.asked += 1
        return self.line

    def usage(self):
        if self.is_hidden:
            raise PermissionError(13, "not yours")
        return self.use


class FakeTable:
    """The processes that there are now."""

    def __init__(self, *processes):
        self.now = list(processes)

    def processes(self):
        yield from list(self.now)

    def known_as(self, program):
        return program[:15]
