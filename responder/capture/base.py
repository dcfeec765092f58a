"""The seam of all sources of evidence: look once at one subject; never change, retry, redact or cut (assemble.py)."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from homeostat.clock import Clock
from homeostat.containers import Container, Engine
from homeostat.guardian_client import GuardianClient


@dataclass(frozen=True, slots=True)
class CaptureBounds:
    """What a capture may take: of the time before a repair, and of the ledger as JSON."""

    seconds: float = 3.0
    bytes: int = 32 * 1024


@dataclass(frozen=True, slots=True)
class CaptureTools:
    """What sources look with. ``logs``: the folder where supervised processes write.

    ``secrets``: what must not be written down wherever it stands, such as tokens; asked for at each capture.
    """

    engine: Engine | None
    guardian: GuardianClient
    clock: Clock
    logs: Path
    secrets: Callable[[], Iterable[bytes]] = field(default=tuple, repr=False)
    proc: Path = Path("/proc")
    cgroups: Path = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Subject:
    """One container of the target, or its supervised process (then ``container`` is None).

    ``log_bytes``: how much of its log is worth reading.
    """

    name: str
    container: Container | None
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Section:
    """What a source found, as JSON. ``secrets``: what it came across and nobody may write down."""

    data: object
    secrets: tuple[str, ...] = field(default=(), repr=False)


#: Looks at a subject; seconds are what it has. Raises HomeostatError, whose ``str()`` says why there is nothing.
Look = Callable[[Subject, CaptureTools, float], Awaitable[Section]]


@dataclass(frozen=True, slots=True)
class Source:
    """``share``: of the bytes, the most that it gets; None: what the others leave, its newest end."""

    name: str
    look: Look
    share: float | None
