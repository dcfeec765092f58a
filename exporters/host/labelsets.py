"""Label sets of what the host has, rendered once for as long as it is there."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from homeostat.families import labels


class LabelSets:
    """Rendered label sets of the labels ``names``, by their values."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._known: dict[tuple[str, ...], str] = {}

    def render(self, keys: Iterable[tuple[str, ...]]) -> list[str]:
        """In the same order, each key once. What else was known is forgotten."""
        known = self._known
        self._known = {key: known.get(key) or labels(dict(zip(self._names, key, strict=True))) for key in keys}
        return list(self._known.values())


@dataclass(frozen=True, slots=True)
class HostLabels:
    """All that the host's collector needs, kept from scrape to scrape."""

    modes: LabelSets = field(default_factory=lambda: LabelSets("mode"))
    waiting: LabelSets = field(default_factory=lambda: LabelSets("resource"))
    stalled: LabelSets = field(default_factory=lambda: LabelSets("resource"))
    filesystems: LabelSets = field(default_factory=lambda: LabelSets("mountpoint", "fstype"))
    disks: LabelSets = field(default_factory=lambda: LabelSets("device"))
    interfaces: LabelSets = field(default_factory=lambda: LabelSets("interface"))
