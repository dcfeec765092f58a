"""The responder's API, as the commands ask it."""

import asyncio
import getpass
import os
from collections.abc import Mapping
from typing import Any

import aiohttp

from homeostat.errors import NotFound, Permanent, Unreachable
from homeostat.settings import Settings

_TIMEOUT_S = 5.0


class ResponderApi:
    """Raises Unreachable when the responder does not answer, NotFound and Permanent in its own words."""

    def __init__(self, settings: Settings, timeout_s: float = _TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = timeout_s

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:  # JSON, read by key
        return await self._ask("GET", path, params=params or {})

    async def post(self, path: str, body: object, *, with_token: bool = True) -> Any:
        return await self._ask("POST", path, json=body, headers=self._credentials() if with_token else {})

    async def delete(self, path: str, params: Mapping[str, str]) -> Any:
        return await self._ask("DELETE", path, params=params, headers=self._credentials())

    def _credentials(self) -> dict[str, str]:
        path = self._settings.responder.token_files[0]
        try:
            return {"Authorization": f"Bearer {path.read_text().strip()}"}
        except (OSError, ValueError) as err:
            raise Permanent(f"cannot read the token in {path}: run this as the user who runs homeostat") from err

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        listen = self._settings.responder.listen
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                aiohttp.ClientSession() as session,
                session.request(method, f"http://{listen}{path}", **options) as response,
            ):
                answer = await response.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
            raise Unreachable(f"the responder at {listen} does not answer: `homeostat up`?") from err
        if response.status == 404:  # noqa: PLR2004 - HTTP
            raise NotFound(answer["error"])
        if response.status >= 400:  # noqa: PLR2004 - HTTP
            raise Permanent(f"the responder refused: {answer['error']}")
        return answer


def operator() -> str:
    """Who says it, for the ledger."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
