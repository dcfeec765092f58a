"""Looks at managed files at its own pace: their stat every 5 s, their bytes when that changes and every 10 minutes all
the same (a disk that rots changes no stat). They are judged when bytes or stat have changed, and once a day with all
their versions. Events of the file system only make it look sooner.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from exporters import configspells
from exporters.configevents import Events
from exporters.configsignature import Signature, fingerprint_of, signature_of, watched_paths
from exporters.configspells import Spell
from homeostat.clock import Clock
from homeostat.configfiles.changes import Invalid
from homeostat.configfiles.integrity import Integrity, State
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.spec import Foreign
from homeostat.configfiles.versions import Origin, Version
from homeostat.errors import HomeostatError, Temporary
from homeostat.threads import run_in_thread

log = structlog.get_logger()

STAT_EVERY_S = 5.0
HASH_EVERY_S = 600.0
JUDGE_EVERY_S = 86400.0
#: Older news is no news.
STALE_S = 60.0
#: Who changes a file all the time does not keep it from being judged for longer than so many settling times.
_MOST_SETTLING = 10
#: What cannot be judged is tried again less and less often: it may run the check program each time.
_AGAIN_MOST_S = 60.0
#: Between two looks, however many events there are.
_BREATH_S = 0.2


@dataclass(frozen=True, slots=True)
class Report:
    """One file when it was last looked at. Times are epoch seconds; ``changed_at``: as the file says, None for no file.
    ``is_current``: False when it could not be judged (its schema is broken, its versions cannot be read): then the rest
    is what was said before that.
    """

    name: str
    is_current: bool = False
    integrity: Integrity | None = None
    changed_at: float | None = None
    last_good: Version | None = None
    versions: int = 0
    #: When it was damaged before it was last good: who started within it has read what was wrong.
    damaged_spell: Spell | None = None
    took_s: float = 0.0


@dataclass(slots=True)
class _Watched:
    """Monotonic: ``since`` (the signature is this one), ``unjudged_since`` (the first change that is not judged yet),
    ``judged_at``, ``hashed_at``, ``again_at`` (not before, where it could not be judged). Epoch: ``noticed_at`` (that
    first change, or when it was last seen unchanged: what is wrong by now was right until then), ``damaged_since``.
    """

    paths: tuple[str, ...]
    signature: Signature | None = None
    judged: Signature | None = None
    fingerprint: tuple[int | None, ...] = ()
    since: float = 0.0
    unjudged_since: float = 0.0
    judged_at: float = 0.0
    hashed_at: float = 0.0
    again_at: float = 0.0
    failures: int = 0
    noticed_at: float = 0.0
    damaged_since: float | None = None
    spell: Spell | None = None
    report: Report | None = None


@dataclass(slots=True)
class ConfigWatch:
    """``files``: all managed ones. ``events``: None where nothing tells of changes."""

    files: ConfigFiles
    clock: Clock
    events: Events | None = None
    _watched: dict[str, _Watched] = field(init=False)
    _last_round: float = field(init=False)

    def __post_init__(self) -> None:
        versions = self.files.folder / "files"
        self._watched = {
            name: _Watched(watched_paths(spec, versions / name / "manifest.jsonl"))
            for name, spec in self.files.specs.items()
        }
        self._last_round = self.clock.monotonic()

    def reports(self) -> Sequence[Report]:
        """Of those that were judged so far. Raises Temporary when rounds stand still."""
        age_s = self.clock.monotonic() - self._last_round
        if age_s > STALE_S:
            raise Temporary(f"no managed file was looked at for {age_s:.0f} s")
        return [watched.report for watched in self._watched.values() if watched.report is not None]

    async def run(self) -> None:
        """Until cancelled."""
        async with self.events.running() if self.events is not None else contextlib.nullcontext():
            while True:
                # A disk that hangs, as one over the network does, must not keep the exporter from ending.
                await self._wait(await run_in_thread(self.round, lambda: None))

    async def _wait(self, wait_s: float) -> None:
        if self.events is None:
            await self.clock.sleep(wait_s)
            return
        await self.events.wait(wait_s)
        await self.clock.sleep(_BREATH_S)

    def round(self) -> float:
        """Look at each file's stat, and judge those that have changed and are still. Seconds until the next look."""
        wait_s = STAT_EVERY_S
        for name, watched in self._watched.items():
            try:
                wait_s = min(wait_s, self._look(name, watched))
            except (HomeostatError, OSError) as err:
                self._not_judged(name, watched, str(err))
            except Exception as err:  # noqa: BLE001 - a worker loop: a defect met with one file blinds no other
                # Not its words: they may be a value of the file.
                self._not_judged(name, watched, f"unexpected {type(err).__name__} at {_place(err)}")
        self._last_round = self.clock.monotonic()
        return wait_s

    def _look(self, name: str, watched: _Watched) -> float:
        now = self.clock.monotonic()
        signature = signature_of(watched.paths)
        if signature != watched.signature:
            self._note(watched, signature, self.files.spec(name).settle)
        if signature == watched.judged:
            left_s = watched.hashed_at + HASH_EVERY_S - now
        else:
            left_s = max(self._unsettled_s(name, watched, now), watched.again_at - now)
        if left_s > 0:
            return left_s
        if signature != watched.judged or not _is_same(watched, now):
            self._judge(name, watched, signature)
        else:
            watched.noticed_at = self.clock.now()
        watched.hashed_at = now
        return STAT_EVERY_S

    def _note(self, watched: _Watched, signature: Signature, settle_s: float) -> None:
        """What was not seen to change has been still for as long as it says itself, if that is not in the future."""
        now, at = self.clock.monotonic(), self.clock.now()
        is_first, changed_at = watched.signature is None, signature.changed_at
        if watched.signature == watched.judged:
            watched.unjudged_since, watched.noticed_at = now, at
        watched.signature, watched.since = signature, now
        watched.again_at, watched.failures = now, 0
        if is_first and changed_at is not None and changed_at <= at:
            watched.since, watched.noticed_at = now - min(at - changed_at, settle_s), changed_at

    def _unsettled_s(self, name: str, watched: _Watched, now: float) -> float:
        assert watched.signature is not None  # noqa: S101 - it was just noted
        has_news = watched.judged is None or watched.judged.versions != watched.signature.versions
        if has_news and self._is_newest(name):
            return 0.0  # what homeostat itself has written is complete
        settle_s = self.files.spec(name).settle
        return min(watched.since + settle_s, watched.unjudged_since + _MOST_SETTLING * settle_s) - now

    def _is_newest(self, name: str) -> bool:
        try:
            digest, history = self.files.read(name).digest, self.files.history(name)
        except (HomeostatError, OSError):
            return False
        return bool(history) and history[-1].is_good and history[-1].digest == digest

    def _judge(self, name: str, watched: _Watched, signature: Signature) -> None:
        begun, at = self.clock.monotonic(), self.clock.now()
        watched.fingerprint = fingerprint_of(watched.paths)
        integrity = self._accepted(name, self.files.look(name))
        self._keep_spell(watched, integrity.state, signature.changed_at)
        history = self.files.history(name)
        watched.report = Report(
            name=name,
            is_current=True,
            integrity=integrity,
            changed_at=signature.changed_at,
            last_good=self.files.last_good(name),
            versions=len(history),
            damaged_spell=configspells.latest(configspells.from_history(history), watched.spell),
            took_s=self.clock.monotonic() - begun,
        )
        # Of before it was read: what has changed meanwhile, our own note among it, is news.
        watched.judged, watched.judged_at, watched.noticed_at = signature, begun, at
        watched.failures = 0

    def _not_judged(self, name: str, watched: _Watched, why: str) -> None:
        if watched.report is None or watched.report.is_current:
            log.warning("config.not_judged", file=name, error=why)
        watched.report = replace(watched.report or Report(name), is_current=False)
        now = self.clock.monotonic()
        watched.judged, watched.unjudged_since = None, now
        watched.again_at = now + min(STAT_EVERY_S * 2**watched.failures, _AGAIN_MOST_S)
        watched.failures += 1

    def _keep_spell(self, watched: _Watched, state: State, changed_at: float | None) -> None:
        if state is State.DAMAGED:
            watched.damaged_since = watched.noticed_at if watched.damaged_since is None else watched.damaged_since
        elif watched.damaged_since is not None:
            watched.spell = configspells.as_seen(watched.damaged_since, changed_at, self.clock.now())
            watched.damaged_since = None

    def _accepted(self, name: str, integrity: Integrity) -> Integrity:
        """The first good content is kept, and each that others made where that is how it is to be."""
        if integrity.state is State.DAMAGED:
            return integrity
        if self.files.last_good(name) is None:
            self.files.accept(name, "homeostat", "the first one seen", Origin.SEEN)
        elif integrity.state is State.CHANGED and self.files.spec(name).foreign is Foreign.ACCEPT:
            try:
                self.files.accept(name, "homeostat", "changed by others, and foreign is accept", Origin.SEEN)
            except Invalid as err:  # by its check program: people are asked
                log.warning("config.not_accepted", file=name, error=str(err))
                return integrity
        else:
            return integrity
        return self.files.look(name)


def _is_same(watched: _Watched, now: float) -> bool:
    """By its bytes, since it was judged, and that is not too long ago."""
    return now - watched.judged_at < JUDGE_EVERY_S and watched.fingerprint == fingerprint_of(watched.paths)


def _place(err: BaseException) -> str:
    place = err.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{place.tb_frame.f_globals.get('__name__')}:{place.tb_lineno}" if place is not None else "?"
