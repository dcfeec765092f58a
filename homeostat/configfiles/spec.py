"""What homeostat.yml says about one managed file."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from homeostat.configfiles.reading import Symlinks
from homeostat.explain import At
from homeostat.quantities import Duration, Period, at_least, entries, matching
from homeostat.workloads import is_workload_id

FormatName = Literal["env", "yaml", "json", "toml", "ini", "text"]
#: Bits, as `chmod` takes them. YAML reads 0640 as a number by eights: quoted or not, it is the same.
Mode = Annotated[str, matching("0?[0-7]{3}", 'must be a mode in quotes, for example "0640"')]


class Foreign(StrEnum):
    """What a valid change means that was not made through homeostat: it is the new good one, people are asked, or it is
    put back as if it were damage.
    """

    ACCEPT = "accept"
    ASK = "ask"
    RESTORE = "restore"


class Rereads(StrEnum):
    """When the workloads read the file again: by themselves, when they start, or when docker compose makes their
    containers (what it reads itself: `.env`, `env_file`, the compose file), which is never done by homeostat.
    """

    ITSELF = "itself"
    AT_START = "at_start"
    AT_CREATION = "at_creation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedFile:
    """A configuration file that is validated, versioned, watched and restored."""

    path: Path
    #: Left out, by the file's name.
    format: FormatName | None = None
    #: JSON Schema for structured files; for .env files, types of keys (docs/config-files.md).
    schema: Path | None = None
    #: Files of docker compose: each variable that they use without a default must be in this .env file.
    compose: tuple[Path, ...] = ()
    #: Keys of this .env file must be in the managed one, too.
    example: Path | None = None
    #: A program that must end with 0, at most so long; ``{file}`` is the staged file. No shell sees it.
    check: Annotated[tuple[str, ...], entries(0, 64)] = ()
    check_timeout: Period = 10.0
    #: No more rights than these. Left out: nobody but owner and group where keys are secret, else nobody else may
    #: write.
    max_mode: Mode | None = None
    #: Who reads it. While it is damaged they are not to blame for their troubles.
    workloads: tuple[str, ...] = ()
    rereads: Rereads = Rereads.AT_START
    foreign: Foreign = Foreign.ASK
    #: A file that is being changed is left alone until it has been still so long.
    settle: Duration = 3.0
    symlinks: Symlinks = Symlinks.FOLLOW
    #: For a file that is mounted by itself (a single-file bind mount): a reader can see half of it.
    in_place: bool = False
    #: Versions are kept so many and so long; of what is older, the last good one.
    keep: Annotated[int, at_least(1)] = 100
    keep_for: Duration = 90 * 86400.0

    def __post_init__(self) -> None:
        for index, workload in enumerate(self.workloads):
            if not is_workload_id(workload):
                raise At(("workloads", index), f"{workload!r}: must be PROJECT/SERVICE, for example shop/web")
        if self.check and not any("{file}" in word for word in self.check):
            raise At(("check",), "does not say where the staged file goes; allowed: a word with {file}")
