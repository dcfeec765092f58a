"""What the receiver claims, read from homeostat's API or from one that answers in the same words."""

import asyncio
import contextlib
import time
from datetime import datetime

import aiohttp

from tests.conformance.errors import WrongArgument
from tests.conformance.observations import Claim
from tests.conformance.trouble import short_name

_LOOK_EVERY_S = 0.5


class Ledger:
    """GET ``url``/api/v1/recoveries, again and again; what changed is a claim."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.claims: list[Claim] = []
        self._url = f"{url.rstrip('/')}/api/v1/recoveries?limit=200"
        self._session = session
        self._since = time.time()
        self._last: dict[int, tuple[str | None, bool]] = {}

    async def run(self) -> None:
        """Until cancelled. Raises WrongArgument when there is no such API."""
        try:
            await self._look()
        except aiohttp.ClientError as err:
            raise WrongArgument(f"--ledger-url: {self._url} does not answer: {err}") from err
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(aiohttp.ClientError):  # what it does not say is no claim
                await self._look()

    async def _look(self) -> None:
        async with self._session.get(self._url) as response:
            if response.status != 200:
                raise WrongArgument(f"--ledger-url: {self._url} answers {response.status}")
            rows = await response.json()
        try:
            for row in rows:
                if datetime.fromisoformat(row["opened_at"]).timestamp() >= self._since - 1.0:
                    self._note(row["id"], short_name(row["workload"]), row["final"], bool(row["closed_at"]))
        except (LookupError, TypeError, ValueError) as err:
            raise WrongArgument(f"--ledger-url: {self._url} does not answer as homeostat's API does: {err!r}") from err

    def _note(self, recovery: int, workload: str, final: str | None, is_closed: bool) -> None:
        if self._last.get(recovery) != (final, is_closed):
            self._last[recovery] = (final, is_closed)
            self.claims.append(Claim(time.monotonic(), workload, recovery, final, is_closed))
