"""Everything in the container stands still while Docker still calls it healthy (its checks stop, too)."""

from chaos.shop import Victim


class Pause:
    """`docker pause`; SIGSTOP for a supervised process."""

    async def inject(self, victim: Victim) -> None:
        await victim.pause()
