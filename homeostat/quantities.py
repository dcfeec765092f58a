"""Durations, sizes and addresses as people write them; pydantic types that take and explain them."""

import ipaddress
import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

#: Context of validating what people wrote: a bare number has no unit there. Elsewhere (defaults, the ledger) it is
#: seconds or bytes.
WRITTEN: Final = "written"

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


def _duration(value: object, info: ValidationInfo) -> float:
    return value if isinstance(value, float) and info.context != WRITTEN else parse_duration(value)


def _is_longer_than_nothing(duration: float) -> float:
    if duration <= 0:
        raise ValueError("must be longer than 0s")
    return duration


def _size(value: object, info: ValidationInfo) -> int:
    return value if type(value) is int and info.context != WRITTEN else parse_size(value)


def _listen(value: object) -> str:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not host or not is_port(port):
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:9801")
    return f"{host}:{port}"


def _url(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("must be an http:// or https:// URL")
    return value.rstrip("/")


Duration = Annotated[float, BeforeValidator(_duration)]
#: Of what is done again and again or waited for: with none of it there would be no end, or no wait.
Period = Annotated[float, BeforeValidator(_duration), AfterValidator(_is_longer_than_nothing)]
Size = Annotated[int, BeforeValidator(_size)]
Listen = Annotated[str, BeforeValidator(_listen)]
Url = Annotated[str, BeforeValidator(_url)]


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
