"""The seam of all actions: act once on one target; never wait, retry, verify, log or record (the engine does)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import aiohttp

from homeostat.clock import Clock
from homeostat.configfiles.managed import ConfigFiles
from homeostat.containers import Engine
from homeostat.guardian_client import GuardianClient
from homeostat.settings import Settings
from homeostat.steps import Step
from responder.ledger import Hold
from responder.targets import Target

#: What has to be known to put something back: JSON-able, written to the ledger before the step acts.
Memo = Mapping[str, object]


async def _no_holds() -> Sequence[Hold]:
    return ()


def _no_files() -> ConfigFiles:
    return ConfigFiles({}, Path())


@dataclass(frozen=True, slots=True)
class Tools:
    """What actions act with. ``settings``: those in force now. ``holds``: operators' word, by CLI and API. ``files``:
    the managed configuration files.
    """

    engine: Engine | None
    guardian: GuardianClient
    session: aiohttp.ClientSession
    clock: Clock
    settings: Callable[[], Settings]
    holds: Callable[[], Awaitable[Sequence[Hold]]] = _no_holds
    files: Callable[[], ConfigFiles] = _no_files


@dataclass(frozen=True, slots=True)
class Applied:
    """Done, as far as the one who was asked says. ``detail`` is for the ledger.

    ``evidence``: what it was told besides, as JSON without secrets and of bounded size; kept as evidence.
    """

    detail: str
    evidence: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing was touched: the step does not fit the target as it is now."""

    reason: str


class Action(Protocol):
    """Raises HomeostatError when it failed; what happened then is unknown and must be verified."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped: ...


@runtime_checkable
class Undoable(Protocol):
    """An action whose effect can be put back. ``undo`` works from the memo alone, also when the responder ended in the
    middle of ``apply``, or before it; doing it twice is harmless.
    """

    async def prepare(self, step: Step, target: Target, tools: Tools) -> Memo | Skipped:
        """What it is now. Changes nothing."""
        ...

    async def undo(self, step: Step, memo: Memo, tools: Tools) -> str:
        """Put it back; what was done, for the ledger. Raises HomeostatError when it failed: it is tried again."""
        ...


@runtime_checkable
class Renewable(Protocol):
    """An effect that ends by itself unless it is asked for again and again, every ``step.lease / 3``."""

    async def renew(self, step: Step, memo: Memo, tools: Tools) -> None:
        """Raises HomeostatError when it failed."""
        ...
