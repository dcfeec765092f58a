"""What state a managed file is in, against its last good version. Decides; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from homeostat.configfiles.errors import Place
from homeostat.configfiles.reading import Found
from homeostat.configfiles.secrets import is_secret_name
from homeostat.configfiles.spec import Foreign, ManagedFile
from homeostat.configfiles.validation import Flaw, Validated
from homeostat.configfiles.versions import Version

_OWNER_READS = 0o400
#: Where keys are secret, owner and group; elsewhere nobody else may write.
_SECRET_MODE, _OPEN_MODE = 0o770, 0o775


class State(StrEnum):
    """``changed``: by others, and valid: for people to say whether it is right. ``damaged``: what was is to be put
    back.
    """

    GOOD = "good"
    CHANGED = "changed"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Integrity:
    """``flaws``: why it is damaged; of one that is not, nothing."""

    state: State
    flaws: tuple[Flaw, ...] = ()
    is_parsed: bool = False
    is_schema_valid: bool = False
    is_mode_allowed: bool = False


def judge(spec: ManagedFile, found: Found | None, validated: Validated | None, last_good: Version | None) -> Integrity:
    """``found``: None for no file. ``validated``: of its bytes. ``last_good``: None before there is one."""
    if found is None or validated is None:
        return Integrity(State.DAMAGED, (Flaw("missing", "there is no file"),))
    too_open = _too_open(found, allowed_mode(spec, validated))
    flaws = (*validated.flaws, *_mode_flaws(spec, found, too_open, last_good), *_unwanted(spec, found, last_good))
    return Integrity(
        state=State.DAMAGED if flaws else _state(found, last_good),
        flaws=flaws,
        is_parsed=validated.parsed is not None,
        is_schema_valid=not validated.flaws,
        is_mode_allowed=not too_open,
    )


def refused(words: str) -> Integrity:
    """Of what is no file, or cannot be read."""
    return Integrity(State.DAMAGED, (Flaw("unreadable", words),))


def allowed_mode(spec: ManagedFile, validated: Validated) -> int:
    """As said, else by what is in it."""
    if spec.max_mode is not None:
        return int(spec.max_mode, 8)
    data = validated.parsed.data if validated.parsed else {}
    return _SECRET_MODE if any(is_secret_name(name) for name in data) else _OPEN_MODE


def _too_open(found: Found, allowed: int) -> int:
    """Where files have no owner, on Windows, the mode says nothing of who may read them."""
    return found.attributes.mode & ~allowed if found.attributes.uid >= 0 else 0


def _mode_flaws(spec: ManagedFile, found: Found, too_open: int, last_good: Version | None) -> Sequence[Flaw]:
    """What was as open when it was accepted, and is not forbidden by the owner, is for people: somebody may need it."""
    mode = found.attributes.mode
    is_damage = spec.max_mode is not None or (last_good is not None and mode & ~last_good.mode)
    if too_open and is_damage:
        return [Flaw("mode", f"mode {mode:04o} lets others in; allowed: without {too_open:04o}", Place(1))]
    if last_good is not None and last_good.mode & _OWNER_READS and not mode & _OWNER_READS:
        return [Flaw("mode", f"mode {mode:04o} keeps its owner out; it was {last_good.mode:04o}", Place(1))]
    return []


def _unwanted(spec: ManagedFile, found: Found, last_good: Version | None) -> Sequence[Flaw]:
    """Where nobody but homeostat may change it, a valid change is one more kind of damage."""
    if spec.foreign is Foreign.RESTORE and last_good is not None and found.digest != last_good.digest:
        return [Flaw("foreign", "was not changed through homeostat, and foreign is restore", Place(1))]
    return []


def _state(found: Found, last_good: Version | None) -> State:
    if last_good is None or found.digest == last_good.digest:
        return State.GOOD
    return State.CHANGED
