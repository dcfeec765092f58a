"""What a service leaves out of its memory: parts of libraries that would be loaded for nothing."""

import sys

#: What libraries load when it is there, and can do without.
_LEFT_OUT = (
    # structlog: colours that a service never shows; 3 MB.
    "rich",
    # aiohttp: the fast twin of a list in Python, of which a request reads one; it brings the C++ library along, 1 MB.
    "frozenlist._frozenlist",
)


def start_lean() -> None:
    """First of all in a service's ``__main__``, before these libraries are imported."""
    for name in _LEFT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]  # import then fails, as its documentation says
