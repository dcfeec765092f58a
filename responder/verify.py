"""Evidence held for a time. Three verdicts: no data is neither good nor bad."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from homeostat.clock import Clock


class Quality(StrEnum):
    """What one piece of evidence says now."""

    GOOD = "good"
    BAD = "bad"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class Reading:
    """One piece of evidence at one moment. ``detail`` says what was seen. ``lags``: others measured it, and earlier."""

    source: str
    quality: Quality
    detail: str
    lags: bool = False


class Evidence(Protocol):
    """Something independent of the action that can be looked at again and again. Never raises for a bad answer."""

    async def read(self) -> Sequence[Reading]: ...


class Verdict(StrEnum):
    """What verification found."""

    VERIFIED = "verified"
    NOT_RECOVERED = "not_recovered"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Judgement:
    """``readings``: the last ones seen, for the ledger."""

    verdict: Verdict
    reason: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Good within ``within_s``, what lags within ``lag_s`` more; then for ``hold_s`` on end. Without data,
    ``patience_s`` more before giving up.
    """

    within_s: float
    hold_s: float
    patience_s: float = 60.0
    lag_s: float = 0.0


class Judge:
    """Pure: readings and times in, a judgement out once there is one."""

    def __init__(self, terms: Terms, start: float) -> None:
        self._terms = terms
        self._start = start
        self._good_since: float | None = None
        self._ill_since: float | None = None

    def feed(self, now: float, readings: Sequence[Reading]) -> Judgement | None:
        """``now`` is monotonic, as ``start`` was."""
        bad = [r for r in readings if r.quality is Quality.BAD]
        dark = [r for r in readings if r.quality is Quality.NO_DATA]
        if all(reading.lags for reading in bad):
            self._ill_since = None
        elif self._ill_since is None:
            self._ill_since = now
        if bad or dark or not readings:
            self._good_since = None
            return self._judge_lack(now, bad, readings)
        if self._good_since is None:
            self._good_since = now
        if now - self._good_since >= self._terms.hold_s:
            return Judgement(Verdict.VERIFIED, f"good for {self._terms.hold_s:g} s on end", tuple(readings))
        return None

    def _judge_lack(self, now: float, bad: list[Reading], readings: Sequence[Reading]) -> Judgement | None:
        waited, terms = now - self._start, self._terms
        is_ill = self._ill_since is not None and now - self._ill_since >= terms.within_s
        if is_ill or (bad and waited >= terms.within_s + terms.lag_s):
            reason = "; ".join(f"{r.source}: {r.detail}" for r in bad)
            return Judgement(Verdict.NOT_RECOVERED, reason, tuple(readings))
        if not bad and waited >= terms.within_s + terms.lag_s + terms.patience_s:
            reason = "; ".join(f"{r.source}: {r.detail}" for r in readings) or "there is nothing to look at"
            return Judgement(Verdict.INCONCLUSIVE, reason, tuple(readings))
        return None


#: Often enough to catch a relapse within the hold, seldom enough to load nobody.
LOOK_EVERY_S = 0.5


async def verify(evidence: Sequence[Evidence], terms: Terms, clock: Clock) -> Judgement:
    """Look at all evidence until there is a judgement."""
    judge = Judge(terms, clock.monotonic())
    while True:
        looked = await asyncio.gather(*(one.read() for one in evidence))
        readings = [reading for group in looked for reading in group]
        if judgement := judge.feed(clock.monotonic(), readings):
            return judgement
        await clock.sleep(LOOK_EVERY_S)
