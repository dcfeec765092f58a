"""Keys that are given more than once: the last value stays, as in compose, and what others took before it, too."""

from collections.abc import Collection

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats.env import apply, rewritten
from homeostat.configfiles.formats.envscan import Kind
from homeostat.configfiles.formats.envtemplate import Scope, referred
from homeostat.configfiles.lint.envkeys import shown
from homeostat.configfiles.lint.envparts import Done, Part, part_of


def without_duplicates(parts: list[Part], done: Done) -> list[Part]:
    """A value that refers to the key between its lines is written out. If that cannot be, all stays as it is."""
    places = _places(parts)
    kept = {name: _kept(parts, at) for name, at in places.items()}
    between = _between(parts, {name: (at[0], kept[name]) for name, at in places.items()})
    fixed = _written_out(parts, between.keys())
    able = places.keys() - _unable(parts, kept, {at: names for at, names in between.items() if at not in fixed})
    result: list[Part] = []
    for at, part in enumerate(parts):
        if part.line.name in able and at != kept[part.line.name]:
            done.append((part.number, f"removed: {shown(part.line.name)} is given again"))
            continue
        uses = able & between.get(at, set())
        if uses:
            names = ", ".join(map(shown, sorted(uses)))
            done.append((part.number, f"what it takes from {names} is written out"))
        result.append(fixed[at] if uses else part)
    return result


def _places(parts: list[Part]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for at, part in enumerate(parts):
        if part.line.is_key:
            places.setdefault(part.line.name, []).append(at)
    return {name: at for name, at in places.items() if len(at) > 1}


def _kept(parts: list[Part], places: list[int]) -> int:
    """The last with a value: a name alone leaves the value as it is."""
    return next((at for at in reversed(places) if parts[at].line.kind is Kind.ENTRY), places[-1])


def _between(parts: list[Part], spans: dict[str, tuple[int, int]]) -> dict[int, set[str]]:
    """Lines that refer to keys after their first line, and not after the one that is kept."""
    users: dict[int, set[str]] = {}
    for at, part in enumerate(parts):
        for name in spans.keys() & referred(part.line.pieces):
            first, last = spans[name]
            if first < at <= last:
                users.setdefault(at, set()).add(name)
    return users


def _unable(parts: list[Part], kept: dict[str, int], hindering: dict[int, set[str]]) -> set[str]:
    """Keys that a line that stays refers to, and cannot be written out: their lines stay, and may hinder others."""
    going: dict[str, list[int]] = {}
    staying: list[int] = []
    for at in hindering:
        name = parts[at].line.name
        (staying if kept.get(name, at) == at else going.setdefault(name, [])).append(at)
    unable: set[str] = set()
    while staying:
        for name in hindering[staying.pop()] - unable:
            unable.add(name)
            staying += going.pop(name, [])
    return unable


def _written_out(parts: list[Part], wanted: Collection[int]) -> dict[int, Part]:
    """Those whose values hang on nothing but keys above them, with these values."""
    fixed: dict[int, Part] = {}
    scope = Scope({})
    for at, part in enumerate(parts):
        line = part.line
        is_own = all(name in scope.values for name in referred(line.pieces))
        try:
            apply(line, scope)
        except NotParsed:
            continue
        if at in wanted and is_own and (text := rewritten(part.text, line, scope.values[line.name])) is not None:
            fixed[at] = part_of(part.number, text)
    return fixed
