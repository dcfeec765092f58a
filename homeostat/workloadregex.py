"""Patterns of workloads as Alertmanager's regular expressions, and back. Pure.

Alertmanager anchors them itself. A dot is written ``[.]``: a backslash would need another one wherever it is quoted.
"""

import re
from collections.abc import Iterable

#: Never an alert without a workload: the dead man's.
_ANY = ".+"
#: What ``*`` does not mean: that the host or homeostat itself is ill, people hear of in every maintenance.
NOT_ANY = "(host|homeostat)/.+"
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\[\.\])*")


def as_regex(patterns: Iterable[str]) -> str:
    """For ``PROJECT/SERVICE``, ``PROJECT/*`` and ``*``, as settings have checked them."""
    return "|".join(_as_regex(pattern) for pattern in patterns)


def means_any(regex: str) -> bool:
    """Whether it was made of ``*``, among others, and has to go with :data:`NOT_ANY`."""
    return _ANY in regex.split("|")


def as_patterns(regex: str) -> tuple[str, ...] | None:
    """What :func:`as_regex` was given; None for what it has not made."""
    patterns = tuple(_as_pattern(part) for part in regex.split("|"))
    return None if None in patterns else tuple(filter(None, patterns))


def _as_regex(pattern: str) -> str:
    if pattern == "*":
        return _ANY
    project, _, service = pattern.replace(".", "[.]").partition("/")
    return f"{project}/{_ANY if service == '*' else service}"


def _as_pattern(part: str) -> str | None:
    if part == _ANY:
        return "*"
    project, _, service = part.partition("/")
    if not _PART.fullmatch(project) or not (service == _ANY or _PART.fullmatch(service)):
        return None
    return f"{project}/{'*' if service == _ANY else service}".replace("[.]", ".")
