"""Leaks of the shop, as slow as is asked for: each row grows until it is exhausted after so many minutes.

They are not among the FAULTS that the recovery benchmark and the demo play: nothing is to be seen of them for long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from chaos.shop import Victim
from homeostat.errors import Permanent


@dataclass(frozen=True, slots=True)
class Leak:
    """``fault``: the shop's own switch; ``rate``: its parameter for units per second, a ``unit`` being so much of what
    homeostat calls ``resource``. ``headroom``: units from a shop under light load to ``limit``, which
    examples/shop/docker-compose.yml or the size of its pool sets.
    """

    fault: str
    rate: str
    headroom: float
    resource: str
    limit: float
    unit: float = 1.0
    parameters: Mapping[str, str] = field(default_factory=dict)

    def query(self, minutes: float) -> Mapping[str, str]:
        """Parameters with which it is exhausted ``minutes`` after its onset."""
        return {self.rate: f"{self.headroom / (minutes * 60):.6f}", **self.parameters}

    async def inject(self, victim: Victim, minutes: float) -> None:
        """Begin to leak. Raises Permanent."""
        url = f"{victim.url}/faults/{self.fault}"
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.post(url, params=self.query(minutes)) as response,
            ):
                if response.status >= 300:  # noqa: PLR2004 - HTTP
                    raise Permanent(f"the shop refused {self.fault}: {response.status}; is SHOP_FAULTS=1 set?")
        except (aiohttp.ClientError, OSError) as err:
            raise Permanent(f"the shop at {victim.url} does not answer: {err}") from err


_MIB = 2**20

LEAKS: Mapping[str, Leak] = {
    "memory": Leak("memory-leak", "mb_per_s", 158, "memory", 192 * _MIB, _MIB, {"where": "cache"}),
    "heap": Leak("memory-leak", "mb_per_s", 158, "memory", 192 * _MIB, _MIB, {"where": "heap"}),
    "fds": Leak("fd-leak", "per_s", 1012, "fds", 1024),
    "threads": Leak("thread-leak", "per_s", 198, "threads", 200),
    "connections": Leak("connection-leak", "per_s", 5, "connections", 5),
}
