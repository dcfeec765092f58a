"""Carrying out a change that is staged and in the journal: file after file; all of them, or none."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from homeostat.configfiles import staging
from homeostat.configfiles.attributes import Attributes
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.errors import Conflict, FileRefused
from homeostat.configfiles.journal import Move
from homeostat.configfiles.reading import read
from homeostat.configfiles.staging import Staged
from homeostat.configfiles.versions import Versions

VersionsOf = Callable[[str], Versions]


class HalfDone(FileRefused):
    """It failed, and so did taking it back: the next change, or the next start, begins with ending it."""


class _State(Enum):
    OLD = auto()
    NEW = auto()
    #: Of a file that is written in place: some of its bytes are.
    HALF = auto()
    #: Others wrote it.
    FOREIGN = auto()


def carry_out(moves: Sequence[Move], versions: VersionsOf, disk: Disk) -> None:
    """Raises FileRefused or Conflict, with every target as it was; HalfDone, without that."""
    begun: list[Move] = []
    try:
        for move in moves:
            _refuse_changed(move)
            begun.append(move)
            _put(move, versions, disk)
        _sync(moves, disk)
    except BaseException as err:
        _take_back_or_say(begun, err, versions, disk)
        raise


def finish(moves: Sequence[Move], versions: VersionsOf, disk: Disk) -> bool:
    """After a crash in :func:`carry_out`: go on to its end; take it back where that cannot be, or where others changed
    a file meanwhile. Whether it is done now. Raises HalfDone or OSError.
    """
    if _State.FOREIGN in (states := {move.name: _state_seen(move, versions) for move in moves}).values():
        take_back([move for move in moves if states[move.name] is not _State.FOREIGN], versions, disk)
        _drop_staged(moves, disk)
        return False
    try:
        for move in moves:
            if states[move.name] is not _State.NEW:
                _put_again(move, versions, disk)
        _sync(moves, disk)
    except FileRefused as err:
        _take_back_or_say(moves, err, versions, disk)
        return False
    _drop_staged(moves, disk)
    return True


def _take_back_or_say(moves: Sequence[Move], err: BaseException, versions: VersionsOf, disk: Disk) -> None:
    try:
        take_back(moves, versions, disk)
    except (OSError, FileRefused) as worse:
        why = str(err).removesuffix(staging.UNCHANGED)
        raise HalfDone(
            f"{why}; and taking it back failed: {str(worse).removesuffix(staging.UNCHANGED)}; the next start ends it"
        ) from worse


def take_back(moves: Sequence[Move], versions: VersionsOf, disk: Disk) -> None:
    """Make targets that have the new bytes have the old ones again; what others wrote meanwhile is left alone. Raises
    FileRefused or OSError.
    """
    for move in moves:
        if _state(move, versions) not in {_State.NEW, _State.HALF}:
            continue
        if move.old:
            was = Attributes(move.old_mode, move.old_uid, move.old_gid)
            _write(move, versions(move.name).content(move.old), was, disk)
        else:
            disk.unlink(move.target)
    _drop_staged(moves, disk)
    with contextlib.suppress(FileRefused):
        _sync(moves, disk)


def _refuse_changed(move: Move) -> None:
    """The last look: who does not know of our lock, an editor, may have written since the first one."""
    found = read(move.target)
    if (found.digest if found else "") != move.old:
        raise Conflict(f"{move.target}: somebody changed it meanwhile; look at it and try again; nothing was changed")


def _state_seen(move: Move, versions: VersionsOf) -> _State:
    """What cannot be read any more is not ours to mend here."""
    try:
        return _state(move, versions)
    except FileRefused:
        return _State.FOREIGN


def _state(move: Move, versions: VersionsOf) -> _State:
    found = read(move.target)
    digest = found.digest if found else ""
    if found and digest == move.old and _are_old(found.attributes, move):
        return _State.OLD
    if digest == move.new:
        return _State.NEW
    if digest == move.old:
        return _State.OLD
    history = versions(move.name)
    if move.in_place and found and _is_half(found.raw, history.content(move.old), history.content(move.new)):
        return _State.HALF
    return _State.FOREIGN


def _are_old(attributes: Attributes, move: Move) -> bool:
    """What tells where the bytes are to stay the same."""
    return (attributes.mode, attributes.uid, attributes.gid) == (move.old_mode, move.old_uid, move.old_gid)


def _is_half(now: bytes, old: bytes, new: bytes) -> bool:
    """Whether writing ``new`` over ``old`` can have left it: no byte is of anybody else (after a power loss, blocks of
    either stand side by side), and its length is one that it had meanwhile.
    """
    if len(now) not in range(min(len(old), len(new)), max(len(old), len(new)) + 1):
        return False
    both = zip(now, old.ljust(len(now), b"\0"), new.ljust(len(now), b"\0"), strict=False)
    return all(byte in {was, is_to_be} for byte, was, is_to_be in both)


def _put(move: Move, versions: VersionsOf, disk: Disk) -> None:
    if move.temp is None:
        staging.overwrite(move.target, versions(move.name).content(move.new), _new_attributes(move), disk)
    else:
        staging.put(Staged(move.target, move.temp), disk)


def _put_again(move: Move, versions: VersionsOf, disk: Disk) -> None:
    if move.temp is not None and _is_whole(move.temp, move.new):
        staging.put(Staged(move.target, move.temp), disk)
    else:
        _write(move, versions(move.name).content(move.new), _new_attributes(move), disk)


def _is_whole(temp: Path, digest: str) -> bool:
    found = read(temp)
    return found is not None and found.digest == digest


def _write(move: Move, raw: bytes, attributes: Attributes, disk: Disk) -> None:
    if move.in_place:
        staging.overwrite(move.target, raw, attributes, disk)
        return
    found = read(move.target)
    xattrs = found.attributes.xattrs if found else {}
    staged = staging.stage(move.target, raw, replace(attributes, xattrs=xattrs), disk)
    try:
        staging.put(staged, disk)
    except FileRefused:
        staging.remove(staged.temp, disk)
        raise


def _new_attributes(move: Move) -> Attributes:
    return Attributes(move.version.mode, move.version.uid, move.version.gid)


def _sync(moves: Sequence[Move], disk: Disk) -> None:
    for folder in {move.target.parent for move in moves if not move.in_place}:
        try:
            disk.sync_folder(folder)
        except OSError as err:
            raise FileRefused(
                f"{folder}: cannot be made to last a power loss: {err.strerror or os.strerror(err.errno or 0)}; "
                f"see the system's log for the disk{staging.UNCHANGED}"
            ) from err


def _drop_staged(moves: Sequence[Move], disk: Disk) -> None:
    for move in moves:
        if move.temp is not None and move.temp.exists():
            staging.remove(move.temp, disk)
