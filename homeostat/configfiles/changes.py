"""A change of one or several managed files: locked, compared, validated, journaled, carried out, recorded."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from homeostat.configfiles import staging
from homeostat.configfiles.attributes import Attributes
from homeostat.configfiles.errors import Conflict, FileRefused
from homeostat.configfiles.journal import Move
from homeostat.configfiles.moves import HalfDone, carry_out
from homeostat.configfiles.place import Place, keeping, record
from homeostat.configfiles.reading import Found, digest_of, read
from homeostat.configfiles.spec import ManagedFile
from homeostat.configfiles.text import MAX_BYTES
from homeostat.configfiles.validation import Flaw
from homeostat.configfiles.versions import Origin, Version

#: A file that is new belongs to who makes it, and to nobody else until its owner says so.
_NEW = Attributes(0o600)


class Invalid(FileRefused):
    """What was to be written is not good. ``flaws``: by name of the file."""

    def __init__(self, message: str, flaws: Mapping[str, Sequence[Flaw]]) -> None:
        self.flaws = flaws
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Wanted:
    """``expected``: digest of what the new bytes were made from, empty when there was no file, None for whatever is
    there. ``attributes``: mode and owner that it shall have; None for those of what is replaced.
    """

    name: str
    spec: ManagedFile
    target: Path
    raw: bytes
    expected: str | None
    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """For the history."""

    who: str
    why: str
    origin: Origin = Origin.CHANGED


class Check(Protocol):
    """Of a whole change, staged: raises Invalid. ``staged``: name -> the file that holds the new bytes."""

    def __call__(self, wanted: Sequence[Wanted], staged: Mapping[str, Path]) -> None: ...


def apply(wanted: Sequence[Wanted], reason: Reason, check: Check, place: Place) -> list[Version]:
    """The new versions, in order; of a file that is as wanted already, its last one. Durable when it returns.

    Raises Busy, Conflict, Invalid, FileRefused, with nothing changed; HalfDone, which says what was.
    """
    with place.alone():
        found = {each.name: read(each.target) for each in wanted}
        for each in wanted:
            _compare(each, found[each.name])
            staging.sweep(each.target)
        changed = [each for each in wanted if not _is_there(each, found[each.name], place)]
        with _staged(changed, found, place) as (paths, lost):
            check(wanted, {each.name: paths.get(each.name, each.target) for each in wanted})
            done = _carry_out(changed, found, paths, replace(reason, why=_with(reason.why, lost)), place)
        return [done[each.name] if each.name in done else _last(each, place) for each in wanted]


def _is_there(wanted: Wanted, found: Found | None, place: Place) -> bool:
    """Bytes, mode, owner, and in the history as good."""
    if found is None or found.digest != digest_of(wanted.raw):
        return False
    last = place.versions(wanted.name).last()
    is_known = last is not None and last.is_good and last.digest == found.digest
    return is_known and _attributes(wanted, found) == found.attributes


def _last(wanted: Wanted, place: Place) -> Version:
    last = place.versions(wanted.name).last()
    assert last is not None  # noqa: S101 - else it would have been changed
    return last


def _compare(wanted: Wanted, found: Found | None) -> None:
    if wanted.expected is not None and wanted.expected != (found.digest if found else ""):
        raise Conflict(f"{wanted.target}: somebody changed it since it was read; read it again; nothing was changed")
    if found is not None and len(found.raw) > MAX_BYTES:
        raise FileRefused(
            f"{wanted.target}: is larger than {MAX_BYTES} bytes, and would be lost; move it away{staging.UNCHANGED}"
        )


@contextlib.contextmanager
def _staged(
    wanted: Sequence[Wanted], found: Mapping[str, Found | None], place: Place
) -> Iterator[tuple[Mapping[str, Path], Sequence[str]]]:
    paths: dict[str, Path] = {}
    lost: list[str] = []
    try:
        for each in wanted:
            beside, attributes = each.target, _attributes(each, found[each.name])
            if _is_in_place(each, found[each.name]):  # only to be checked: its folder may not be for us to write in
                beside, attributes = place.folder / each.target.name, _NEW
            staged = staging.stage(beside, each.raw, attributes, place.disk)
            paths[each.name] = staged.temp
            lost += staged.lost
        yield paths, lost
    finally:
        for path in paths.values():
            if path.exists():
                staging.remove(path, place.disk)


def _is_in_place(wanted: Wanted, found: Found | None) -> bool:
    return wanted.spec.in_place and found is not None


def _attributes(wanted: Wanted, found: Found | None) -> Attributes:
    """What is in no history, labels and access lists, stays as it is."""
    if wanted.attributes is None:
        return found.attributes if found else _NEW
    return replace(wanted.attributes, xattrs=found.attributes.xattrs if found else {})


def _with(why: str, lost: Sequence[str]) -> str:
    return f"{why} (not kept: {', '.join(lost)})" if lost else why


def _carry_out(
    wanted: Sequence[Wanted], found: Mapping[str, Found | None], paths: Mapping[str, Path], reason: Reason, place: Place
) -> Mapping[str, Version]:
    if not wanted:
        return {}
    change = secrets.token_hex(8)
    moves = [_move(each, found[each.name], paths[each.name], reason, change, place) for each in wanted]
    for each in wanted:
        _keep(each, found[each.name], place)
    try:
        _begin(change, moves, place)
        carry_out(moves, place.versions, place.disk)
    except HalfDone:
        raise
    except BaseException as err:
        _end(change, err, place)
        raise
    versions = _recorded(change, moves, place)
    for each in wanted:
        place.prune(each.name, each.spec)
    return {move.name: version for move, version in zip(moves, versions, strict=True)}


def _begin(change: str, moves: Sequence[Move], place: Place) -> None:
    try:
        place.journal.begin(change, moves)
    except OSError as err:
        raise FileRefused(
            f"{place.folder}: a change cannot be written down before it is made: {err.strerror or err}; "
            f"free disk space there, or let homeostat's user write in it{staging.UNCHANGED}"
        ) from err


def _end(change: str, err: BaseException, place: Place) -> None:
    """Of one that was taken back, or not begun."""
    try:
        place.journal.end(change)
    except OSError as worse:
        raise HalfDone(
            f"{str(err).removesuffix(staging.UNCHANGED)}; and {place.folder} cannot be written: "
            f"{worse.strerror or worse}; nothing was changed yet, but the next change or start may still do it"
        ) from worse


def _recorded(change: str, moves: Sequence[Move], place: Place) -> list[Version]:
    try:
        versions = record(moves, place)
        place.journal.end(change)
    except OSError as err:
        raise HalfDone(
            f"{place.folder}: the files are changed, but their history cannot be written: {err.strerror or err}; "
            "free disk space there; the next change or start completes it"
        ) from err
    return versions


def _move(wanted: Wanted, found: Found | None, temp: Path, reason: Reason, change: str, place: Place) -> Move:
    attributes, old = _attributes(wanted, found), found.attributes if found else _NEW
    version = Version(
        at=place.now(),
        digest=digest_of(wanted.raw),
        size=len(wanted.raw),
        mode=attributes.mode,
        origin=reason.origin,
        is_good=True,
        who=reason.who,
        why=reason.why,
        change=change,
        uid=attributes.uid,
        gid=attributes.gid,
        target=str(wanted.target),
    )
    return Move(
        name=wanted.name,
        target=wanted.target,
        temp=None if _is_in_place(wanted, found) else temp,
        old=found.digest if found else "",
        version=version,
        old_mode=old.mode,
        old_uid=old.uid,
        old_gid=old.gid,
    )


def _keep(wanted: Wanted, found: Found | None, place: Place) -> None:
    """Both contents, before anything is touched; and the old one in the history, if nobody has written it there."""
    versions = place.versions(wanted.name)
    with keeping(versions):
        last = versions.last()
        if found is not None and (last is None or last.digest != found.digest):
            versions.keep(found.raw)
            versions.append(_as_found(found, place.now()))
        versions.keep(wanted.raw)


def _as_found(found: Found, at: float) -> Version:
    """What somebody else wrote: whether it was good is not said here."""
    attributes = found.attributes
    return Version(
        at=at,
        digest=found.digest,
        size=len(found.raw),
        mode=attributes.mode,
        origin=Origin.FOUND,
        is_good=False,
        uid=attributes.uid,
        gid=attributes.gid,
        since=found.changed_at,
    )
