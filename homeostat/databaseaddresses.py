"""Where a database is, as steps name it: with a host, or on a port of the workload's own container."""

import re

from homeostat.quantities import is_port


def is_redis_address(text: str) -> None:
    """Raises ValueError with what is allowed."""
    if not _is_address(text):
        raise ValueError("must be HOST:PORT, or :PORT of the workload's own container")


def is_postgres_address(text: str) -> None:
    """Raises ValueError with what is allowed."""
    address, _, database = text.partition("/")
    if not _is_address(address) or not re.fullmatch(r"[^\s/]+", database):
        raise ValueError("must be HOST:PORT/DATABASE, or :PORT/DATABASE of the workload's own container")


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(colon) and is_port(port) and not re.search(r"[\s/:]", host)
