"""What files of cgroups say, beyond one number or one field of a table (rawfiles.py)."""

import re

from exporters.cgroups.samples import Io, Pressure

#: v1 spells "no limit" as the largest page count in bytes; nobody has limited a container to 4 EiB.
_UNLIMITED = 2**62
_SOME = re.compile(rb"^some .*total=(\d+)$", re.MULTILINE)
_FULL = re.compile(rb"^full .*total=(\d+)$", re.MULTILINE)


def limit(content: bytes | None) -> int | None:
    """0 for no limit: ``max`` on v2, a huge number on v1."""
    text = (content or b"").strip()
    if text == b"max":
        return 0
    if not text.isdigit():
        return None
    value = int(text)
    return 0 if value >= _UNLIMITED else value


def tightest(limits: list[int | None]) -> int | None:
    """The limit that counts: the smallest one, 0 when none limits."""
    told = [each for each in limits if each is not None]
    return min((each for each in told if each), default=0) if told else None


def cores(content: bytes | None) -> float | None:
    """cpu.max, ``QUOTA PERIOD``, as cores; 0 for no limit."""
    fields = (content or b"").split()
    if len(fields) != 2 or not fields[1].isdigit():  # noqa: PLR2004
        return None
    return int(fields[0]) / int(fields[1]) if fields[0].isdigit() and int(fields[1]) else 0.0


def pressure(cpu: bytes | None, memory: bytes | None, io: bytes | None) -> Pressure:
    """From the pressure files (kernel, Documentation/accounting/psi.rst). ``full`` means nothing for the CPU."""
    return Pressure(
        cpu_waiting=_stall_seconds(cpu, _SOME),
        memory_waiting=_stall_seconds(memory, _SOME),
        memory_stalled=_stall_seconds(memory, _FULL),
        io_waiting=_stall_seconds(io, _SOME),
        io_stalled=_stall_seconds(io, _FULL),
    )


def _stall_seconds(content: bytes | None, share: re.Pattern[bytes]) -> float | None:
    found = share.search(content or b"")
    return int(found[1]) / 1e6 if found else None


def io_stat(content: bytes | None) -> Io:
    """io.stat of v2: ``8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`` for each device."""
    if content is None:
        return Io()
    sums = {b"rbytes": 0, b"wbytes": 0, b"rios": 0, b"wios": 0}
    for token in content.split():
        name, _, value = token.partition(b"=")
        if name in sums and value.isdigit():
            sums[name] += int(value)
    return Io(sums[b"rbytes"], sums[b"wbytes"], sums[b"rios"], sums[b"wios"])


def blkio(content: bytes | None) -> tuple[int | None, int | None]:
    """(read, written) of a blkio file of v1: ``8:0 Read 1``, ``8:0 Write 2``, ... for each device."""
    if content is None:
        return None, None
    sums = {b"Read": 0, b"Write": 0}
    for line in content.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in sums and fields[2].isdigit():  # noqa: PLR2004
            sums[fields[1]] += int(fields[2])
    return sums[b"Read"], sums[b"Write"]
