"""The shop's configuration: environment variables and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Variables without a default, each with an example for the error message.
REQUIRED = {
    "SHOP_DATABASE_URL": "postgresql://shop:shop@127.0.0.1:5432/shop",
    "SHOP_REDIS_URL": "redis://127.0.0.1:6379/0",
    "SHOP_PORT": "8080",
}
PORTS = range(1, 65536)


class SettingsError(Exception):
    """The environment does not configure the shop; the message says what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``request_log``: None is stdout. ``has_faults``: whether the fault switches exist at all."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    port: int
    host: str = "127.0.0.1"
    request_log: Path | None = None
    has_faults: bool = False
    offer_file: Path = Path("config/offer.env")


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Raises :class:`SettingsError`, which names every missing variable at once."""
    missing = [f"{name} (such as {REQUIRED[name]})" for name in REQUIRED if not environ.get(name)]
    if missing:
        raise SettingsError(f"environment: set {', '.join(missing)}")
    log = environ.get("SHOP_REQUEST_LOG")
    return Settings(
        database_url=environ["SHOP_DATABASE_URL"],
        redis_url=environ["SHOP_REDIS_URL"],
        port=_port(environ["SHOP_PORT"]),
        host=environ.get("SHOP_HOST") or "127.0.0.1",
        request_log=Path(log) if log else None,
        offer_file=Path(environ.get("SHOP_OFFER_FILE") or "config/offer.env"),
        has_faults=_switch("SHOP_FAULTS", environ.get("SHOP_FAULTS", "")),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) in PORTS):
        raise SettingsError(f"environment: SHOP_PORT={text!r} is not a port (1 to 65535)")
    return int(text)


def _switch(name: str, text: str) -> bool:
    if text not in {"", "0", "1"}:
        raise SettingsError(f"environment: {name}={text!r} is not allowed (1, 0 or empty)")
    return text == "1"
