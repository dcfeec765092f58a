"""What a service leaves out of its memory: parts of libraries that would be loaded for nothing."""

import contextlib
import ssl
import sys
from collections.abc import Iterator
from typing import Any

#: What libraries load when it is there, and can do without.
_LEFT_OUT = (
    # structlog: colours that a service never shows; 3 MB.
    "rich",
    # aiohttp: the fast twin of a list in Python, of which a request reads one; it brings the C++ library along, 1 MB.
    "frozenlist._frozenlist",
)


def start_lean() -> None:
    """First of all in a service's ``__main__``, before these libraries are imported: 6 MB less."""
    for name in _LEFT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]  # import then fails, as its documentation says
    # aiohttp makes its TLS contexts when it is imported.
    with authorities_read_late():
        import aiohttp  # noqa: F401, PLC0415 - for this effect


@contextlib.contextmanager
def authorities_read_late() -> Iterator[None]:
    """TLS contexts that are made in the block read the system's authorities not before their first connection: 2 MB,
    and most services only ever speak with neighbours, in the clear.
    """

    def read_late(context: ssl.SSLContext) -> None:
        connect = context.wrap_bio

        def read_and_connect(*arguments: Any, **options: Any) -> ssl.SSLObject:
            context.wrap_bio = connect  # type: ignore[method-assign]  # as it was
            context.set_default_verify_paths()
            return connect(*arguments, **options)

        context.wrap_bio = read_and_connect  # type: ignore[method-assign]  # of this one context

    # Over the method of its base class, which is there again afterwards.
    ssl.SSLContext.set_default_verify_paths = read_late  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths
