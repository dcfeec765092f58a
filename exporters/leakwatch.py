"""Looks for leaks at its own pace: a round every 15 s, whoever scrapes; readers are served from the last one."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from exporters.leakinputs import Input, Reading, SeriesKey
from exporters.leakseries import AllSeries, Row
from exporters.leakstate import StateFile
from homeostat.clock import Clock
from homeostat.errors import Temporary

log = structlog.get_logger()

ROUND_S = 15.0
SAVE_S = 300.0
#: What has not answered by then is left for the next round.
_PATIENCE_S = 10.0
#: So many failures in a row.
_SAID_AT = 2
#: Older news is no news: four rounds.
STALE_S = 60.0
#: CPU time of a longer while cannot be told apart by half hours.
_GAP_S = 300.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the last round said. ``complete_at``: epoch seconds of the last one in which all that is watched could be
    read; of the exporter's start before the first.
    """

    complete_at: float
    rows: tuple[Row, ...] = ()
    left_out: int = 0
    set_aside: int = 0
    took_s: float = 0.0


class LeakWatch:
    """``inputs``: by name, for the log."""

    def __init__(self, inputs: Mapping[str, Input], state: StateFile, clock: Clock) -> None:
        self._inputs = inputs
        self._state = state
        self._clock = clock
        self._everything = AllSeries()
        #: In a row, by input.
        self._failures: Counter[str] = Counter()
        self._took_at: float | None = None
        self._last = Snapshot(clock.now())
        self._last_at = clock.monotonic()

    def snapshot(self) -> Snapshot:
        """Raises Temporary when rounds stand still: old verdicts must not pass for new ones."""
        age_s = self._clock.monotonic() - self._last_at
        if age_s > STALE_S:
            raise Temporary(f"nothing was looked at for leaks for {age_s:.0f} s")
        return self._last

    async def history(self, keys: Iterable[SeriesKey]) -> dict[SeriesKey, list[tuple[float, float]]]:
        """(epoch seconds, floor) of these, oldest first."""
        return await asyncio.to_thread(self._everything.history, keys)

    async def run(self) -> None:
        """Until cancelled; then what is known is saved."""
        self._everything = await asyncio.to_thread(self._state.load)
        saved_at = self._clock.monotonic()
        try:
            while True:
                begun_at = self._clock.monotonic()
                try:
                    await self._round()
                except Exception:  # a worker loop: readers are told when rounds stand still, all else goes on
                    log.exception("leaks.round_failed")
                if begun_at - saved_at >= SAVE_S:
                    await asyncio.to_thread(self._state.save, self._everything)
                    saved_at = begun_at
                # Rounds that came late are not made up for.
                await self._clock.sleep(max(0.0, begun_at + ROUND_S - self._clock.monotonic()))
        finally:
            await asyncio.to_thread(self._state.save, self._everything)

    async def _round(self) -> None:
        begun_at = self._clock.monotonic()
        answers = await asyncio.gather(*(self._read(name, read) for name, read in self._inputs.items()))
        readings = [reading for answer in answers if answer is not None for reading in answer]
        now, at = self._clock.now(), self._clock.monotonic()
        seen_s = None if self._took_at is None or at - self._took_at > _GAP_S else at - self._took_at
        self._took_at = at
        found = await asyncio.to_thread(self._everything.take, readings, now, seen_s)
        if found.left_out and not self._last.left_out:
            log.warning("leaks.series_left_out", count=found.left_out)
        self._last_at = self._clock.monotonic()
        self._last = Snapshot(
            complete_at=self._last.complete_at if None in answers else now,
            rows=found.rows,
            left_out=found.left_out,
            set_aside=self._state.set_aside,
            took_s=self._last_at - begun_at,
        )

    async def _read(self, name: str, read: Input) -> list[Reading] | None:
        """None when it failed, which is said when it has failed twice: at the start nobody may have answered yet."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                readings = await read()
        except Exception as err:  # noqa: BLE001 - a worker loop: one input that fails must not stop the others
            self._failures[name] += 1
            if self._failures[name] == _SAID_AT:
                log.warning("leaks.input_failed", input=name, error=repr(err))
            return None
        self._failures[name] = 0
        return readings
