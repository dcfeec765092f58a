"""Start and end planned maintenance: silence and holds, each as far as it can be reached, and told apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from homeostat.clock import Clock, rfc3339
from homeostat.errors import HomeostatError
from homeostat.silences import Silence, SilenceClient, silence_of
from responder import upkeep
from responder.ledger import Hold, Store, StoreError
from responder.upkeep import HoldStep, Maintenance


@dataclass(frozen=True, slots=True)
class Planned:
    """What is asked for. ``seconds``: from now."""

    workloads: tuple[str, ...]
    seconds: float
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Part:
    """The silence or the holds of one maintenance. ``detail``: in people's words, why not or what else to know."""

    is_done: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was started, or ended."""

    id: str
    workloads: tuple[str, ...]
    until: float
    silence: Part
    hold: Part

    @property
    def is_whole(self) -> bool:
        return self.silence.is_done and self.hold.is_done


@dataclass(frozen=True, slots=True)
class Seen:
    """All silences and holds. ``no_silences``, ``no_holds``: why they could not be read; empty when they were."""

    silences: tuple[Silence, ...] = ()
    holds: tuple[Hold, ...] = ()
    no_silences: str = ""
    no_holds: str = ""


class NoMaintenance(Exception):
    """There is none of this id, or none that can be seen now; ``problems`` say why not."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


class Maintaining:
    """Of several at a time, each would start its own: callers take turns."""

    def __init__(self, store: Store, silences: SilenceClient, clock: Clock) -> None:
        self._store = store
        self._silences = silences
        self._clock = clock

    async def see(self) -> Seen:
        """Never raises for what cannot be read."""
        seen = Seen()
        try:
            seen = replace(seen, silences=tuple(await self._silences.all()))
        except HomeostatError as err:
            seen = replace(seen, no_silences=str(err))
        try:
            return replace(seen, holds=tuple(await self._store.holds()))
        except StoreError as err:
            return replace(seen, no_holds=str(err))

    async def start(self, planned: Planned) -> Outcome:
        """The same workloads again: it goes on, never shorter than it was."""
        seen, now = await self.see(), self._clock.now()
        name = upkeep.id_of(planned.workloads)
        running = _named(name, seen, now)
        until = max(now + planned.seconds, running.until if running else 0.0)
        silence = await self._silence(planned, seen, running, (now, until))
        hold = await self._hold(planned, seen, (now, until))
        return Outcome(name, upkeep.unique(planned.workloads), until, silence, hold)

    async def stop(self, name: str) -> Outcome:
        """Raises NoMaintenance."""
        seen, now = await self.see(), self._clock.now()
        running = _named(name, seen, now)
        if running is None:
            raise NoMaintenance([problem for problem in (seen.no_silences, seen.no_holds) if problem])
        silence, hold = await self._unsilence(running, seen), await self._release(running, seen, now)
        return Outcome(name, running.workloads, now, silence, hold)

    async def _silence(
        self, planned: Planned, seen: Seen, running: Maintenance | None, span: tuple[float, float]
    ) -> Part:
        if seen.no_silences:
            return Part(is_done=False, detail=seen.no_silences)
        now, until = span
        old = max(running.silences if running else (), key=lambda each: each.ends_at, default=None)
        if old and old.ends_at >= until - upkeep.SAME_S:
            return Part(is_done=True)
        starts_at, old_id = (old.starts_at, old.id) if old else (now, "")
        workloads = upkeep.unique(planned.workloads)
        try:
            silence = silence_of(workloads, (starts_at, until), planned.by, planned.why, old_id=old_id)
            await self._silences.put(silence)
        except HomeostatError as err:
            return Part(is_done=False, detail=str(err))
        return Part(is_done=True)

    async def _hold(self, planned: Planned, seen: Seen, span: tuple[float, float]) -> Part:
        if seen.no_holds:
            return Part(is_done=False, detail=seen.no_holds)
        now, until = span
        reason = upkeep.marked(upkeep.id_of(planned.workloads), planned.why)
        notes, is_done = list[str](), True
        try:
            for pattern in upkeep.unique(planned.workloads):
                step = upkeep.hold_step(pattern, seen.holds, now, until)
                if step is HoldStep.PUT:
                    await self._store.put_hold(Hold(pattern, reason, planned.by, now, until))
                notes += _notes(step, pattern, seen.holds)
                is_done = is_done and step is not HoldStep.IN_THE_WAY
        except StoreError as err:
            return Part(is_done=False, detail="; ".join([*notes, str(err)]))
        return Part(is_done, "; ".join(notes))

    async def _unsilence(self, running: Maintenance, seen: Seen) -> Part:
        if seen.no_silences:
            return Part(is_done=False, detail=f"{seen.no_silences}; a silence of it lasts until it expires")
        try:
            for silence in running.silences:
                await self._silences.end(silence.id)
        except HomeostatError as err:
            return Part(is_done=False, detail=str(err))
        return Part(is_done=True)

    async def _release(self, running: Maintenance, seen: Seen, now: float) -> Part:
        if seen.no_holds:
            return Part(is_done=False, detail=f"{seen.no_holds}; a hold of it lasts until it expires")
        others = upkeep.found(seen.silences, seen.holds, now)
        try:
            for hold in running.holds:
                if other := upkeep.heir(hold, running.id, others):
                    reason = upkeep.marked(other.id, other.why)
                    await self._store.put_hold(Hold(hold.pattern, reason, other.by, now, other.until))
                else:
                    await self._store.drop_hold(hold.pattern)
        except StoreError as err:
            return Part(is_done=False, detail=str(err))
        return Part(is_done=True)


def _named(name: str, seen: Seen, now: float) -> Maintenance | None:
    return next((each for each in upkeep.found(seen.silences, seen.holds, now) if each.id == name), None)


def _notes(step: HoldStep, pattern: str, holds: Sequence[Hold]) -> list[str]:
    if step not in (HoldStep.COVERED, HoldStep.IN_THE_WAY):
        return []
    [theirs] = [hold for hold in holds if hold.pattern == pattern]
    until = "released" if theirs.until is None else rfc3339(theirs.until)
    words = f"a hold of {theirs.by} on {pattern} is there already, until {until}"
    if step is HoldStep.COVERED:
        return [words]
    return [f"{words}: too short; `homeostat release {pattern}`, then start again"]
