"""The seam of all faults."""

from typing import Protocol

from chaos.shop import Victim


class Fault(Protocol):
    """Breaks the victim and returns; whoever repairs it knows nothing of it. Raises HomeostatError if it could not."""

    async def inject(self, victim: Victim) -> None: ...
