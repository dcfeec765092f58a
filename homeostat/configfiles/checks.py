"""Whether a whole change may be made: each file by itself, those that must fit to it, and the owner's check program."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeostat.configfiles.changes import Invalid, Wanted
from homeostat.configfiles.reading import read_bytes
from homeostat.configfiles.spec import ManagedFile
from homeostat.configfiles.validation import Flaw, ReadOther, SchemaOf, validate

#: Runs a program, at most so many seconds: empty when it ended with 0, else what it said, on one line.
RunCheck = Callable[[Sequence[str], float], str]
_SHOWN = 5


def no_program(argv: Sequence[str], timeout_s: float) -> str:  # noqa: ARG001 - the type's
    """Where none can be run: what is to be checked by one is not changed."""
    return f"no program can be run here, and {argv[0]} was to check it"


@dataclass(frozen=True, slots=True)
class WholeCheck:
    """A :class:`~homeostat.configfiles.changes.Check`. ``specs``: of all managed files."""

    specs: Mapping[str, ManagedFile]
    run: RunCheck
    schema_of: SchemaOf

    def __call__(self, wanted: Sequence[Wanted], staged: Mapping[str, Path]) -> None:
        after = _reading({each.spec.path: each.raw for each in wanted})
        flaws = {each.name: self._of(each, staged[each.name], after) for each in wanted}
        flaws |= self._of_others({each.name for each in wanted}, after)
        flaws = {name: found for name, found in flaws.items() if found}
        if flaws:
            raise Invalid("\n".join(self._lines(flaws)), flaws)

    def _of(self, wanted: Wanted, staged: Path, after: ReadOther) -> Sequence[Flaw]:
        flaws = validate(wanted.spec, wanted.raw, after, self.schema_of).flaws
        if flaws or not wanted.spec.check:
            return flaws
        argv = [word.replace("{file}", str(staged)) for word in wanted.spec.check]
        said = self.run(argv, wanted.spec.check_timeout)
        return [Flaw("check", f"{argv[0]} refused it: {said}")] if said else []

    def _of_others(self, changed: set[str], after: ReadOther) -> dict[str, Sequence[Flaw]]:
        """Flaws of other managed files that they have not had before."""
        found: dict[str, Sequence[Flaw]] = {}
        paths = {self.specs[name].path for name in changed}
        for name, spec in self.specs.items():
            if name in changed or not paths & {*spec.compose, spec.example}:
                continue
            raw = read_bytes(spec.path)
            if raw is not None:
                before = validate(spec, raw, read_bytes, self.schema_of).flaws
                found[name] = [flaw for flaw in validate(spec, raw, after, self.schema_of).flaws if flaw not in before]
        return found

    def _lines(self, flaws: Mapping[str, Sequence[Flaw]]) -> Iterator[str]:
        for name, found in flaws.items():
            for flaw in found[:_SHOWN]:
                yield flaw.of(self.specs[name].path)
            if len(found) > _SHOWN:
                yield f"{self.specs[name].path}: and {len(found) - _SHOWN} more"


def _reading(staged: Mapping[Path, bytes]) -> ReadOther:
    """Of the files as they will be."""
    return lambda path: staged[path] if path in staged else read_bytes(path)
