"""What homeostat.yml says about one program that the action ``exec`` may run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from homeostat.explain import At
from homeostat.quantities import matching
from homeostat.structure import Checked

VariableName = Annotated[
    str, matching("[A-Za-z_][A-Za-z0-9_]{0,127}", "must be letters, digits and _, no digit first, for example MODE")
]


def _is_program(argv: tuple[str, ...]) -> None:
    if not argv or not argv[0].strip():
        raise ValueError("must be a program and its arguments, for example [/usr/local/bin/flush, --all]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program that the action ``exec`` may run."""

    #: The program and its arguments; no shell sees them.
    argv: Annotated[tuple[str, ...], Checked(_is_program)]
    #: Run it in the workload's container, with the engine's exec, instead of on this host.
    in_container: bool = False
    #: On this host. Left out, the folder of the settings file.
    cwd: Path | None = None
    #: Besides PATH, HOME and LANG of the responder, or what the container has.
    env: Mapping[VariableName, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.in_container and self.cwd is not None:
            raise At(("cwd",), "is a folder of this host; allowed: without in_container")
