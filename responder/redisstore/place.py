"""Where the Redis is, and who we are there. The only text of a place that may be shown is ``where``.

One server, not a cluster, and nothing that makes a copy the server when it fails: a copy may lack what was answered.
A user of our own needs ``~{homeostat}:* +@read +@write +@scripting +@transaction +@connection +config|get``.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homeostat.probes.model import CannotLook
from homeostat.probes.passwords import read_password
from responder.ledger import StoreError

_FORMS = "redis://[USER@]HOST[:PORT][/DATABASE], rediss://... for TLS, or unix://PATH[?db=DATABASE]"
_DATABASE = re.compile(r"(/([0-9]+/?)?)?")


@dataclass(frozen=True, slots=True)
class Place:
    """``password_file``: read anew for each connection. ``is_trusted``: known to keep what it answers, though it does
    not let us see that (CONFIG GET).
    """

    url: str = field(repr=False)
    password_file: Path | None = None
    is_trusted: bool = False

    def __post_init__(self) -> None:
        """Raises StoreError for a URL of another form. It is not repeated: part of it may be a password."""
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise StoreError(f"the URL of the ledger's Redis cannot be read; allowed: {_FORMS}") from None
        is_socket = parts.scheme == "unix" and parts.path
        is_host = parts.scheme in ("redis", "rediss") and parts.hostname and port != 0
        if not (is_socket or (is_host and _DATABASE.fullmatch(parts.path))):
            raise StoreError(f"the URL of the ledger's Redis is not of a form that is allowed: {_FORMS}")
        if parts.password and self.password_file is not None:
            raise StoreError(
                f"the ledger's Redis at {self.where} has a password in its URL and a file of it; allowed: one"
            )

    @property
    def where(self) -> str:
        """For people: without user and password."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return parts.path
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        return f"{host}:{parts.port or 6379}{parts.path.rstrip('/')}"

    async def password(self) -> dict[str, Any]:
        """As an argument of a connection. Raises StoreError."""
        try:
            password = await read_password(self.password_file)
        except CannotLook as err:
            raise StoreError(f"{self.password_file}: {err} (for the ledger's Redis at {self.where})") from None
        return {"password": password} if password else {}
