"""Differences of two contents on a terminal."""

from rich.console import Console
from rich.text import Text

from homeostat.configfiles.showing.diff import Side, diff
from homeostat.configfiles.showing.masked import IsSecret

_STYLES = {"-": "red", "+": "green", "@": "cyan"}


def print_diff(old: Side, new: Side, format_name: str, is_secret: IsSecret | None, to: Console) -> bool:
    """``is_secret``: None shows everything. Whether there are differences."""
    if old.raw == new.raw:
        return False
    for line in diff(old, new, format_name, is_secret):
        to.print(Text(line, style=_STYLES.get(line[:1], "")), soft_wrap=True)
    return True
