"""Operators' word to keep hands off, given by CLI and API (in the store) or by a file on the host."""

from collections.abc import Iterable
from pathlib import Path

from homeostat.maintenance import means
from homeostat.settings import Settings
from responder.ledger import Hold

_FILE_NAME = "hold"


def hold_on(workload: str, holds: Iterable[Hold], now: float) -> Hold | None:
    """The first that is in force for the workload."""
    return next((h for h in holds if means(h.pattern, workload) and (h.until is None or now < h.until)), None)


def file_of(settings: Settings) -> Path:
    return settings.responder.hold_file or settings.state_dir / _FILE_NAME


def from_file(path: Path) -> list[Hold]:
    """What the file holds; everything when it is empty or cannot be read; nothing without a file. Blocking."""
    try:
        text, at = path.read_text(), path.stat().st_mtime
    except FileNotFoundError:
        return []
    except (OSError, ValueError):
        return [Hold("*", f"{path} is there and cannot be read", "a file", 0.0, None)]
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    patterns = [line for line in lines if line] or ["*"]
    return [Hold(pattern, f"it stands in {path}", "a file", at, None) for pattern in patterns]
