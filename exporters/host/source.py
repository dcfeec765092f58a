"""The host as a whole, read within a deadline whatever a filesystem does."""

import asyncio
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporters.host.sample import HostReader, Place, Reading, Space
from homeostat.errors import Temporary
from homeostat.platforms import Platform, System
from homeostat.worker import Worker

#: A filesystem that has not answered by then hangs: its disk is broken or gone. Long enough for a host that swaps,
#: whose figures are wanted most; well below the timeout of the scrapes that ask.
_PATIENCE_S = 4.0


@dataclass(frozen=True, slots=True)
class HostSample:
    """``spaces``: None for a filesystem that does not answer. Those that may not be seen from here are left out."""

    reading: Reading
    spaces: Mapping[Place, Space | None]


@dataclass(slots=True)
class _Draft:
    reading: Reading | None = None
    spaces: dict[Place, Space | None] = field(default_factory=dict)
    is_given_up: bool = False


class HostSource:
    """Reads in a thread of its own. One that hangs is left behind, and the filesystem that it hangs at is not asked
    again before it has answered: at most one thread per filesystem, and the process can still end.

    One call at a time, and none that is cancelled: through Together.
    """

    def __init__(self, reader: HostReader, patience_s: float = _PATIENCE_S) -> None:
        self._reader = reader
        self._patience_s = patience_s
        self._asked: set[str] = set()
        self._worker: Worker[None] = Worker()

    async def sample(self) -> HostSample:
        """Raises Temporary when not even the system's own figures come in time."""
        draft = _Draft()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._worker.run(functools.partial(self._fill, draft))
        except TimeoutError:
            draft.is_given_up = True
            self._worker = Worker()
        if draft.reading is None:
            raise Temporary(f"the system did not tell of itself within {self._patience_s:g} s")
        return HostSample(draft.reading, dict(draft.spaces))

    def _fill(self, draft: _Draft) -> None:
        draft.reading = self._reader.read()
        places = () if draft.is_given_up else self._reader.places()
        for place in places:
            if draft.is_given_up:  # another thread goes on
                return
            draft.spaces[place] = None  # until it answers
            if place.mountpoint not in self._asked:
                self._ask(place, draft.spaces)

    def _ask(self, place: Place, spaces: dict[Place, Space | None]) -> None:
        self._asked.add(place.mountpoint)
        try:
            space = self._reader.space(place)
        finally:
            self._asked.discard(place.mountpoint)
        if space is None:
            del spaces[place]
        else:
            spaces[place] = space


def system_reader(platform: Platform) -> HostReader:
    """The implementation for this machine."""
    if platform.system is System.LINUX:
        from exporters.host.linux import LinuxHost  # noqa: PLC0415 - its select.poll is not there on Windows

        return LinuxHost()
    # psutil is 5 MB that Linux need not load.
    from exporters.host.portable import PsutilHost  # noqa: PLC0415

    return PsutilHost()
