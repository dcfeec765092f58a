"""Rules about secrets in a `.env` file: those nobody has set, and files that everybody can read."""

from collections.abc import Iterator

from homeostat.configfiles.errors import Place
from homeostat.configfiles.formats.envscan import Line, scan
from homeostat.configfiles.lint.base import Finding, Severity, Spot
from homeostat.configfiles.lint.envkeys import shown
from homeostat.configfiles.lint.envtext import EnvText
from homeostat.configfiles.secrets import has_userinfo, is_placeholder, is_secret_name


def placeholder_secrets(env: EnvText) -> Iterator[Spot]:
    for line in env.entries:
        if is_secret_name(line.name) and _has_placeholder(line):
            yield Spot(line.place, f"{shown(line.name)} holds a placeholder; give it a secret of its own")


def _has_placeholder(line: Line) -> bool:
    match line.pieces:
        case (str(text),):
            return text.lower() == line.name.lower() or is_placeholder(text)
        case _:
            return False


def has_secrets(text: str) -> bool:
    """By the names of keys that have a value, and by passwords in URLs."""
    return any(line.pieces and (is_secret_name(line.name) or _has_userinfo(line)) for line in scan(text))


def _has_userinfo(line: Line) -> bool:
    return has_userinfo("".join(piece for piece in line.pieces if isinstance(piece, str)))


def readable_by_others(mode: int, *, has_secrets: bool) -> list[Finding]:
    """``mode``: as ``os.stat`` has it."""
    if not (has_secrets and mode & 0o007):
        return []
    words = f"holds secrets, and its mode {mode & 0o777:04o} is open to everybody on this host; set 0640 or 0600"
    return [Finding("file-mode", Place(1), words, severity=Severity.WARNING)]
