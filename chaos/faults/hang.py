"""The process lives and answers nothing: its event loop is blocked for good, SIGTERM included."""

import aiohttp

from chaos.shop import Victim
from homeostat.errors import Permanent


class Hang:
    """Uses the shop's own fault switch, which is there only with SHOP_FAULTS=1."""

    async def inject(self, victim: Victim) -> None:
        try:
            async with aiohttp.ClientSession() as session, session.post(f"{victim.url}/faults/hang") as response:
                if response.status >= 300:  # noqa: PLR2004 - HTTP
                    raise Permanent(f"the shop refused to hang: {response.status}; is SHOP_FAULTS=1 set?")
        except (aiohttp.ClientError, OSError) as err:
            raise Permanent(f"the shop at {victim.url} does not answer: {err}") from err
