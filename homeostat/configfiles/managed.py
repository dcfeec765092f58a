"""Managed files, as programs use them: read, change, look back, put back. docs/config-files.md has examples.

Everything blocks: for some milliseconds (fsync), at worst for the lock's and the check program's timeouts. Call it in
a thread.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from homeostat.clock import SystemClock
from homeostat.configfiles import integrity, staging, text
from homeostat.configfiles.attributes import Attributes
from homeostat.configfiles.changes import Check, Reason, Wanted, apply
from homeostat.configfiles.checks import RunCheck, WholeCheck, no_program
from homeostat.configfiles.clearing import clear_way
from homeostat.configfiles.disk import Disk
from homeostat.configfiles.edits import Edit, edited
from homeostat.configfiles.errors import Conflict, FileRefused, NotParsed
from homeostat.configfiles.integrity import Integrity
from homeostat.configfiles.place import Place, keeping
from homeostat.configfiles.reading import Found, read, read_bytes, resolve
from homeostat.configfiles.spec import ManagedFile
from homeostat.configfiles.validation import SchemaOf, format_name, schema_file, validate
from homeostat.configfiles.versions import Origin, Version
from homeostat.errors import NotFound

#: More than so many others are not changing a file at once.
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was read: what a change is compared with. ``found``: None for no file."""

    name: str
    target: Path
    found: Found | None

    @property
    def digest(self) -> str:
        return self.found.digest if self.found else ""


@dataclass(frozen=True, slots=True)
class ConfigFiles:
    """The managed files of one homeostat. ``folder``: where versions are kept, for its user alone.

    Raises NotFound for a name that is not managed, FileRefused for what cannot be read or written, Invalid for what
    is not good, Conflict where somebody else was faster, Busy where somebody else takes too long; nothing has changed
    then.
    """

    specs: Mapping[str, ManagedFile]
    folder: Path
    run_check: RunCheck = no_program
    now: Callable[[], float] = SystemClock().now
    wait_s: float = 30.0
    disk: Disk = field(default_factory=Disk)
    schema_of: SchemaOf = schema_file

    @property
    def place(self) -> Place:
        return Place(self.folder, self.now, self.wait_s, self.disk)

    def spec(self, name: str) -> ManagedFile:
        if name not in self.specs:
            raise NotFound(f"{name}: no such managed file; allowed: {', '.join(sorted(self.specs)) or 'none is set'}")
        return self.specs[name]

    # Looking.

    def read(self, name: str) -> Snapshot:
        spec = self.spec(name)
        target = resolve(spec.path, spec.symlinks)
        return Snapshot(name, target, read(target))

    def look(self, name: str) -> Integrity:
        """As it is now, against its last good version."""
        spec = self.spec(name)
        try:
            snapshot = self.read(name)
        except FileRefused as err:
            return integrity.refused(str(err))
        found, last_good = snapshot.found, self.last_good(name)
        if last_good is not None and last_good.target not in {"", str(snapshot.target)}:
            return integrity.refused(f"{spec.path}: leads to another file than the last good version was")
        validated = validate(spec, found.raw, read_bytes, self.schema_of) if found else None
        return integrity.judge(spec, found, validated, last_good)

    def changed_at(self, name: str) -> float | None:
        """When its bytes, mode or owner last changed, Unix time; None where nothing is."""
        try:
            return self.spec(name).path.stat().st_ctime
        except OSError:
            return None

    def history(self, name: str) -> list[Version]:
        """Oldest first."""
        self.spec(name)
        return self.place.versions(name).all()

    def content(self, name: str, number: int) -> bytes:
        """Of a version."""
        return self.place.versions(name).content(self.version(name, number).digest)

    def version(self, name: str, number: int) -> Version:
        history = self.history(name)
        for version in history:
            if version.number == number:
                return version
        known = f"{history[0].number} to {history[-1].number}" if history else "it has none yet"
        raise NotFound(f"{name}: no version {number}; allowed: {known}")

    def last_good(self, name: str) -> Version | None:
        """The newest version that was meant to be so and whose content is whole; of what a damaged history lost, the
        newest one that is valid.
        """
        versions = self.place.versions(name)
        newest_first = self.history(name)[::-1]
        for version in newest_first:
            if version.is_good and versions.has(version.digest):
                return version
        for version in newest_first:
            if version.origin is Origin.REBUILT and self._is_valid(name, version):
                return version
        return None

    def _is_valid(self, name: str, version: Version) -> bool:
        try:
            raw = self.place.versions(name).content(version.digest)
        except FileRefused:
            return False
        return not validate(self.spec(name), raw, read_bytes, self.schema_of).flaws

    # Changing.

    def edit(self, name: str, edits: Sequence[Edit], who: str, why: str, expected: str | None = None) -> Version | None:
        """Keys changed, the rest byte for byte as it was. ``expected``: the digest that the file must have; None for
        what is there now, whoever else changes other keys at the same time. None when there was nothing to change.
        """
        for _ in range(_TRIES - 1 if expected is None else 0):
            with contextlib.suppress(Conflict):
                return self._edit(name, edits, who, why, None)
        return self._edit(name, edits, who, why, expected)

    def _edit(self, name: str, edits: Sequence[Edit], who: str, why: str, expected: str | None) -> Version | None:
        snapshot = self.read(name)
        if expected not in {None, snapshot.digest}:
            raise Conflict(
                f"{snapshot.target}: somebody changed it since it was read; read it again; nothing was changed"
            )
        raw = snapshot.found.raw if snapshot.found else b""
        try:
            before = text.decode(raw)
            after = text.Text(edited(format_name(self.spec(name)), before.content, edits), before.has_bom)
        except NotParsed as err:
            raise FileRefused(
                f"{err.of(snapshot.target)}; mend it first (config lint --fix, or config rollback)"
            ) from None
        if after.encode() == raw and snapshot.found:
            return None
        return self.write({name: after.encode()}, who, why, {name: snapshot.digest})[0]

    def write(
        self,
        contents: Mapping[str, bytes],
        who: str,
        why: str,
        expected: Mapping[str, str] | None = None,
        origin: Origin = Origin.CHANGED,
    ) -> list[Version]:
        """All of these files, or none of them. ``expected``: digests that they must have, of those that are named
        there.
        """
        wanted = [self._wanted(name, raw, (expected or {}).get(name)) for name, raw in contents.items()]
        return apply(wanted, Reason(who, why, origin), self._check, self.place)

    def rollback(self, name: str, number: int, who: str, why: str) -> Version:
        """The content of an earlier version: a change like any other, validated like any other."""
        return self.write({name: self.content(name, number)}, who, why, origin=Origin.ROLLED_BACK)[0]

    def restore(self, name: str, who: str, why: str) -> Version:
        """The last good version, with its mode and owner, whatever is there now: what is no file is moved aside."""
        good = self.last_good(name)
        if good is None:
            raise FileRefused(f"{name}: no good version is kept; write the file (config apply {name} FILE)")
        spec = self.spec(name)
        target = clear_way(spec, good, self.now(), self.disk)
        # What is forbidden since is not brought back.
        mode = good.mode & int(spec.max_mode, 8) if spec.max_mode is not None else good.mode
        attributes = Attributes(mode, good.uid, good.gid) if good.origin is not Origin.REBUILT else None
        raw = self.place.versions(name).content(good.digest)
        wanted = Wanted(name, spec, target, raw, None, attributes)
        # It was good when it was accepted; whether it still fits to files that have changed since is seen afterwards.
        check = self._check if good.origin is Origin.REBUILT else _no_check
        return apply([wanted], Reason(who, why, Origin.RESTORED), check, self.place)[0]

    def accept(self, name: str, who: str, why: str, origin: Origin = Origin.ACCEPTED) -> Version:
        """What is there now is right: from here on it is the last good version. Raises Invalid when it is not valid."""
        with self.place.alone():
            snapshot = self.read(name)
            if snapshot.found is None:
                raise FileRefused(f"{snapshot.target}: there is no file; restore the last good version")
            wanted = self._wanted(name, snapshot.found.raw, None)
            self._check([wanted], {name: snapshot.target})
            versions = self.place.versions(name)
            with keeping(versions):
                versions.keep(snapshot.found.raw)
                version = versions.append(
                    _accepted(snapshot.target, snapshot.found, self.now(), Reason(who, why, origin))
                )
            self.place.prune(name, wanted.spec)
            return version

    def recover(self) -> None:
        """At the start of a service: what a crash left half done is finished or taken back, and its files are
        removed.
        """
        with self.place.alone():
            self.place.sweep()
            for name in self.specs:
                self._sweep(name)

    def _sweep(self, name: str) -> None:
        try:
            staging.sweep(resolve(self.spec(name).path, self.spec(name).symlinks))
        except FileRefused:
            return

    def _wanted(self, name: str, raw: bytes, expected: str | None) -> Wanted:
        spec = self.spec(name)
        return Wanted(name, spec, resolve(spec.path, spec.symlinks), raw, expected)

    @property
    def _check(self) -> Check:
        return WholeCheck(self.specs, self.run_check, self.schema_of)


def _no_check(wanted: Sequence[Wanted], staged: Mapping[str, Path]) -> None:
    """Of what was checked before."""


def _accepted(target: Path, found: Found, at: float, reason: Reason) -> Version:
    attributes = found.attributes
    return Version(
        at=at,
        digest=found.digest,
        size=len(found.raw),
        mode=attributes.mode,
        origin=reason.origin,
        is_good=True,
        who=reason.who,
        why=reason.why,
        uid=attributes.uid,
        gid=attributes.gid,
        target=str(target),
    )
