"""What somebody else has made of a file since its last good version."""

from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.secrets import is_secret_name
from homeostat.configfiles.showing.diff import Side, diff
from homeostat.configfiles.showing.masked import IsSecret
from homeostat.configfiles.validation import format_name
from homeostat.errors import HomeostatError

#: Of more nobody reads, and the ledger keeps it for ever.
_MOST_LINES = 200
_LONGEST_LINE = 300


def drift(files: ConfigFiles, name: str) -> list[str]:
    """A unified diff without secrets, cut to size; empty when there is none. Raises as ConfigFiles."""
    good, now = files.last_good(name), files.read(name).found
    raw = files.content(name, good.number) if good is not None else None
    if raw == (now.raw if now else None):
        return []
    old = Side(f"version {good.number}" if good is not None else "nothing", raw)
    new = Side("now", now.raw if now else None)
    lines = list(diff(old, new, format_name(files.spec(name)), secret_test(files, name)))
    cut = [line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]]
    return cut if len(lines) <= _MOST_LINES else [*cut, f"... {len(lines) - _MOST_LINES} lines more"]


def secret_test(files: ConfigFiles, name: str) -> IsSecret:
    """Whether a key of this file holds a secret: its schema says so; or, where it does not say, the key's name."""
    try:
        schema = files.schema_of(files.spec(name))
    except HomeostatError:  # what is wrong with it is told where files are judged
        schema = None
    tells = getattr(schema, "is_secret", None)

    def is_secret(key: str) -> bool:
        known = tells(key) if tells is not None else None
        return is_secret_name(key) if known is None else bool(known)

    return is_secret
