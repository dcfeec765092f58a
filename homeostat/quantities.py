"""Durations, sizes and addresses as people write them; pydantic types that take and explain them."""

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+)(ms|[smhdw])")
_SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+)\s*(B|KiB|MiB|GiB)")


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


def _duration(value: object) -> float:
    # Defaults are given in seconds; only what people write goes through the parser.
    return value if isinstance(value, float) else parse_duration(value)


def _size(value: object) -> int:
    return value if type(value) is int else parse_size(value)


def _listen(value: object) -> str:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 - TCP's own bound
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:9801")
    return f"{host}:{port}"


def _url(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("must be an http:// or https:// URL")
    return value.rstrip("/")


Duration = Annotated[float, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Listen = Annotated[str, BeforeValidator(_listen)]
Url = Annotated[str, BeforeValidator(_url)]


def host_port(listen: str) -> tuple[str, int]:
    """``("127.0.0.1", 9801)`` from a validated ``HOST:PORT``; brackets of IPv6 are taken off."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
