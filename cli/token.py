"""The secret that Alertmanager shows to the responder."""

import secrets
from pathlib import Path

from homeostat.errors import Permanent
from homeostat.files import write_atomic

_BYTES = 32


def ensure_token(path: Path) -> None:
    """Make one when there is none; never change one that is there."""
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, secrets.token_urlsafe(_BYTES).encode() + b"\n")
    except OSError as err:
        raise Permanent(f"cannot write the webhook's token to {path}: {err.strerror}") from err
