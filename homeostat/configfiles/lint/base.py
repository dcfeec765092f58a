"""What linters of all formats answer with."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from homeostat.configfiles.errors import Place


class Severity(StrEnum):
    """ERROR: the file is refused, or not read as it is meant. WARNING: likely a mistake. STYLE: for people only."""

    ERROR = "error"
    WARNING = "warning"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class Finding:
    """``rule``: its name in kebab case. ``words``: what is wrong and what to do; never a value of the file.

    ``fixable``: the format's fixer mends it without changing what is read.
    """

    rule: str
    place: Place
    words: str
    fixable: bool = False
    severity: Severity = Severity.WARNING


class Spot(NamedTuple):
    """A finding of the rule at hand."""

    place: Place
    words: str
    fixable: bool = False
