"""Finds known causes of trouble in log lines, by what programs really say. Pure: plain phrases, in linear time.

Sources of the phrases: messages of the Linux kernel (mm/oom_kill.c, errno(3)), PostgreSQL, MySQL, Redis, nginx and
OpenSSL, and of the standard libraries and usual drivers of Python, Node, Java and Go.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass

#: By cause: in lower case, any of them in a line tells it. Of two causes told by one line both count.
CAUSES: dict[str, tuple[str, ...]] = {
    "oom": (
        "out of memory",
        "outofmemoryerror",
        "oom-kill",
        "oom-killer",
        "oom_kill_process",
        "oomkilled",
        "oom command not allowed",  # Redis over maxmemory
        "cannot allocate memory",
        "can't allocate memory",
        "could not allocate memory",
        "enomem",
        "memoryerror",
        "std::bad_alloc",
        "gc overhead limit exceeded",
        "allocation failed - javascript heap",
    ),
    "disk_full": (
        "no space left on device",
        "enospc",
        "not enough space on the disk",
        "disk full",
        "disk quota exceeded",
        "edquot",
        "the table is full",
        "misconf redis is configured to save rdb snapshots",  # which a full disk makes it say
    ),
    "too_many_open_files": (
        "too many open files",
        "emfile",
        "enfile",
        "file table overflow",
        "out of file descriptors",
        "unable to set the max number of files limit",
    ),
    "connection_refused": (
        "connection refused",
        "econnrefused",
        "connectionrefusederror",
        "actively refused it",
        "connect call failed",  # asyncio
    ),
    "out_of_connections": (
        "too many clients already",  # PostgreSQL
        "remaining connection slots are reserved",
        "too many connections",  # MySQL, and PostgreSQL for a role
        "max number of clients reached",  # Redis
        "no more connections allowed",  # PgBouncer
        "max_user_connections",
        "queuepool limit of size",  # SQLAlchemy
        "connection pool exhausted",  # psycopg2
        "connection pool is full",  # urllib3
        "connection is not available, request timed out",  # HikariCP
        "timeout acquiring a connection",  # Knex
        "timed out fetching a new connection from the connection pool",  # Prisma
        "pool error timeout waiting for idle object",  # DBCP
        "worker_connections are not enough",  # nginx
    ),
    "certificate_expired": (
        "certificate has expired",
        "certificate expired",
        "certificate is expired",
        "cert_has_expired",
        "certificate_expired",
        "certificateexpiredexception",
        "certificate is not yet valid",
        "certificate has expired or is not yet valid",
    ),
    "permission_denied": (
        "permission denied",
        "eacces",
        "operation not permitted",
        "eperm",
        "permissionerror",
        "accessdeniedexception",
        "access is denied",
        "insufficient privilege",
    ),
    "address_in_use": (
        "address already in use",
        "eaddrinuse",
        "only one usage of each socket address",
        "port is already allocated",
    ),
    "dns_failure": (
        "name or service not known",
        "temporary failure in name resolution",
        "could not translate host name",
        "could not resolve host",
        "no such host",  # Go
        "enotfound",
        "eai_again",
        "getaddrinfo failed",
        "unknownhostexception",
        "host not found in upstream",
        "nodename nor servname provided",
        "could not be resolved",  # nginx
    ),
    "read_only_filesystem": ("read-only file system", "erofs", "readonly filesystem"),
    "deadlock": (
        "deadlock detected",
        "deadlock found",
        "java-level deadlock",
        "all goroutines are asleep - deadlock",
        "deadlockloserdataaccessexception",
    ),
    "timeout": (
        "timed out",
        "etimedout",
        "i/o timeout",
        "context deadline exceeded",
        "due to statement timeout",
        "due to lock timeout",
        "lock wait timeout exceeded",
        "sockettimeoutexception",
        "timeouterror",
    ),
}

#: What stands before a phrase that did not come true, and after the name of a count of none.
_NONE_BEFORE = re.compile(r"(?:^|[^\w.])(?:0|no|zero|without|avoid(?:s|ing)?|prevents?)\s+$")
_NONE_AFTER = re.compile(
    r"(?:[_ ]?(?:errors?|count|total|events?|retries))?[\"']?\s{0,3}[:=]\s{0,3}(?:0|false|none|null)(?![\w.])"
)
_BEFORE, _AFTER = 12, 24
#: How much of a line is shown around a phrase.
_LINE_BEFORE, _LINE_AFTER = 120, 180


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that ``count`` lines tell, the last of them ``line``, cut to what is around the words."""

    cause: str
    count: int
    line: str


def find_causes(text: str) -> list[Finding]:
    """Those that ``text`` tells, most lines first. ``text`` is redacted already: it is quoted."""
    lowered = text.lower()
    if len(lowered) != len(text):  # of some letters the small form is longer, and places would not match
        text = lowered
    starts = [0, *(at + 1 for at in _places(lowered, "\n"))]
    found = (_find(cause, phrases, text, lowered, starts) for cause, phrases in CAUSES.items())
    return sorted((finding for finding in found if finding), key=lambda finding: -finding.count)


def _find(cause: str, phrases: tuple[str, ...], text: str, lowered: str, starts: list[int]) -> Finding | None:
    by_line: dict[int, tuple[int, int]] = {}
    for phrase in phrases:
        for at in _places(lowered, phrase):
            if _is_told(lowered, at, at + len(phrase)):
                by_line[bisect.bisect_right(starts, at) - 1] = at, at + len(phrase)
    if not by_line:
        return None
    last = max(by_line)
    end = starts[last + 1] - 1 if last + 1 < len(starts) else len(text)
    return Finding(cause, len(by_line), _around(text, starts[last], end, *by_line[last]))


def _is_told(lowered: str, start: int, end: int) -> bool:
    """Whether the phrase is more than a part of another word, or of a count of none."""
    if lowered[start - 1 : start].isalnum():
        return False
    if lowered[end : end + 1].isalnum() and " " not in lowered[start:end]:
        return False
    before, after = lowered[max(start - _BEFORE, 0) : start], lowered[end : end + _AFTER]
    return not (_NONE_BEFORE.search(before) or _NONE_AFTER.match(after))


def _around(text: str, line_start: int, line_end: int, start: int, end: int) -> str:
    first, last = max(line_start, start - _LINE_BEFORE), min(line_end, end + _LINE_AFTER)
    return f"{'...' if first > line_start else ''}{text[first:last].strip()}{'...' if last < line_end else ''}"


def _places(text: str, phrase: str) -> Iterator[int]:
    at = text.find(phrase)
    while at >= 0:
        yield at
        at = text.find(phrase, at + len(phrase))
