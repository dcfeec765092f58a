"""The seam of all actions: act once on one target; never wait, retry, verify, log or record (the engine does)."""

from dataclasses import dataclass
from typing import Protocol

import aiohttp

from homeostat.containers import Engine
from homeostat.guardian_client import GuardianClient
from homeostat.ladders import Step
from responder.targets import Target


@dataclass(frozen=True, slots=True)
class Tools:
    """What actions act with."""

    engine: Engine | None
    guardian: GuardianClient
    session: aiohttp.ClientSession


@dataclass(frozen=True, slots=True)
class Applied:
    """Done, as far as the one who was asked says. ``detail`` is for the ledger."""

    detail: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing was touched: the step does not fit the target as it is now."""

    reason: str


class Action(Protocol):
    """Raises HomeostatError when it failed; what happened then is unknown and must be verified."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped: ...
