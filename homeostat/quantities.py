"""Durations, sizes, addresses and other values as people write them, with their bounds: the types of settings."""

import ipaddress
import re
from collections.abc import Sized
from typing import Annotated

from homeostat.structure import Checked, Parsed

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
# Nine digits of weeks are longer than anybody waits, and every number of them can be calculated with.
_DURATION = re.compile(r"([0-9]{1,9})(ms|[smhdw])")
_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"([0-9]{1,15})\s*(B|KiB|MiB|GiB)")


def parse_duration(value: object) -> float:
    """Seconds from Prometheus's form: ``90s``, ``5m``, ``1h30m``, ``200ms``. Raises ValueError."""
    text = value if isinstance(value, str) else ""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("must be a duration like 500ms, 10s, 5m or 1h30m")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def parse_size(value: object) -> int:
    """Bytes from ``4MiB``. Raises ValueError."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a size like 512B, 64KiB, 4MiB or 1GiB")
    return int(match[1]) * _SIZES[match[2]]


def parse_listen(value: object) -> str:
    """``HOST:PORT`` as it is. Raises ValueError."""
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not host or not is_port(port):
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:9801")
    return f"{host}:{port}"


def parse_url(value: object) -> str:
    """A URL, without the slash at its end, so that paths can be put behind it. Raises ValueError."""
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("must be an http:// or https:// URL")
    return value.rstrip("/")


def parse_block(value: object) -> str:
    """Text of one or more lines, without what is empty around it. Raises ValueError."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise ValueError("must be text, and not empty")
    return text


def _is_longer_than_nothing(duration: float) -> None:
    if duration <= 0:
        raise ValueError("must be longer than 0s")


def _compiles(pattern: str) -> None:
    try:
        re.compile(pattern)
    # The last two: nested deeper than Python reads, and counting higher.
    except (re.error, RecursionError, OverflowError) as err:
        raise ValueError(f"must be a regular expression: {err}") from None


def _is_line(text: str) -> None:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be text on one line, and not empty")


#: Seconds.
Duration = Annotated[float, Parsed(parse_duration)]
#: Of what is done again and again or waited for: with none of it there would be no end, or no wait.
Period = Annotated[Duration, Checked(_is_longer_than_nothing)]
#: Bytes.
Size = Annotated[int, Parsed(parse_size)]
Listen = Annotated[str, Parsed(parse_listen)]
Url = Annotated[str, Parsed(parse_url)]
Block = Annotated[str, Parsed(parse_block)]
Regex = Annotated[str, Checked(_compiles)]
Line = Annotated[str, Checked(_is_line)]


def at_least(bound: float) -> Checked:
    """A bound of numbers. What is not a number is outside of every bound."""

    def check(value: float) -> None:
        if not value >= bound:
            raise ValueError(f"must be greater than or equal to {bound}")

    return Checked(check)


def at_most(bound: float) -> Checked:
    """As :func:`at_least`."""

    def check(value: float) -> None:
        if not value <= bound:
            raise ValueError(f"must be less than or equal to {bound}")

    return Checked(check)


def above(bound: float) -> Checked:
    """As :func:`at_least`, the bound itself excluded."""

    def check(value: float) -> None:
        if not value > bound:
            raise ValueError(f"must be greater than {bound}")

    return Checked(check)


def entries(least: int, most: int | None = None) -> Checked:
    """How many entries a list may have."""

    def check(value: Sized) -> None:
        if len(value) < least:
            raise ValueError(f"must have at least {least} {'entry' if least == 1 else 'entries'}")
        if most is not None and len(value) > most:
            raise ValueError(f"must have at most {most} entries")

    return Checked(check)


def matching(pattern: str, words: str) -> Checked:
    """Text that is of this form from end to end; ``words`` say what is allowed."""
    form = re.compile(pattern)

    def check(value: str) -> None:
        if not form.fullmatch(value):
            raise ValueError(words)

    return Checked(check)


def is_port(text: str) -> bool:
    """Whether ``text`` is a TCP port."""
    return re.fullmatch(r"[0-9]{1,5}", text) is not None and 0 < int(text) < 65536  # noqa: PLR2004 - TCP's own bound


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``. A name that only looks like an address is not one."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_port(listen: str) -> tuple[str, int]:
    """``("127.0.0.1", 9801)`` from a validated ``HOST:PORT``; brackets of IPv6 are taken off."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
