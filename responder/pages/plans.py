"""What the responder would do about open episodes now, asked no more often than a person can read it."""

import asyncio
from collections.abc import Sequence

from homeostat.errors import HomeostatError
from responder.ledger import Alert, Episode
from responder.pages.rungs import Planned, planned
from responder.parts import Parts

_Plan = Sequence[Planned] | None
#: One plan asks Alertmanager, Prometheus and the engine: not for every look at the page, least of all in a storm.
_KEPT_S = 5.0
#: Somebody waits for the page.
_PATIENCE_S = 2.0


class Plans:
    """Keeps those of the last time only."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._kept: dict[int, tuple[float, _Plan]] = {}

    async def of(self, episodes: Sequence[Episode]) -> list[_Plan]:
        """Of each; None where it is at its end, or not known in time."""
        now = self._parts.clock.monotonic()
        self._kept = {number: kept for number, kept in self._kept.items() if now - kept[0] < _KEPT_S}
        due = [each for each in episodes if each.final is None and each.id not in self._kept]
        for episode, plan in zip(due, await asyncio.gather(*map(self._ask, due)), strict=True):
            self._kept[episode.id] = now, plan
        return [None if each.final else self._kept[each.id][1] for each in episodes]

    async def _ask(self, episode: Episode) -> _Plan:
        alert = Alert(episode.fingerprint, episode.labels, episode.annotations, episode.starts_at, is_firing=True)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return planned(await self._parts.plan(alert))
        except (TimeoutError, HomeostatError):
            return None
