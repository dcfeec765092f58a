"""The file in which what is known of leaks outlasts the exporter: state_dir/leaks.json."""

from pathlib import Path

import structlog

from exporters import leakrecords
from exporters.leakrecords import MOST_BYTES
from exporters.leakseries import AllSeries
from homeostat import files
from homeostat.clock import Clock

log = structlog.get_logger()

NAME = "leaks.json"
#: Of files that were set aside, so many are kept.
_KEPT = 3


class StateFile:
    """``folder``: the state folder, which need not be there. All calls block. ``set_aside``: how many files were."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / NAME
        self._clock = clock
        self._cannot_write = False
        self.set_aside = 0

    def load(self) -> AllSeries:
        """What was saved last; nothing where there is no such file. One that is broken or of another version is renamed
        to ``leaks.json.corrupt-<epoch seconds>``, and said so.
        """
        try:
            files.remove_stale(self._path)
            with self._path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return AllSeries()
        except OSError as err:
            log.warning("leaks.state_unreadable", path=str(self._path), error=str(err))
            return AllSeries()
        try:
            return leakrecords.load(content)
        except Exception as err:  # noqa: BLE001 - nothing that stands in a file may keep the exporter from measuring
            self._put_aside(str(err) or repr(err))
            return AllSeries()

    def _put_aside(self, problem: str) -> None:
        self.set_aside += 1
        aside = self._path.with_name(f"{NAME}.corrupt-{self._clock.now():.0f}")
        try:
            files.replace(self._path, aside)
            # Names of one length, so that the newest come last.
            for old in sorted(self._path.parent.glob(f"{NAME}.corrupt-*"))[:-_KEPT]:
                old.unlink()
        except OSError as err:
            log.warning("leaks.state_stays", path=str(self._path), error=str(err))
        log.error("leaks.state_corrupt", path=str(self._path), aside=str(aside), problem=f"{problem:.500}")

    def save(self, everything: AllSeries) -> None:
        """Durably, for this user's eyes only. That it cannot be is said once: detection goes on without."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write_atomic(self._path, leakrecords.dump(everything))
        except (OSError, ValueError) as err:
            if not self._cannot_write:
                log.warning(
                    "leaks.state_not_saved",
                    path=str(self._path),
                    error=str(err),
                    hint="what is known of leaks is forgotten when the exporter restarts; let it write to state_dir",
                )
            self._cannot_write = True
        else:
            self._cannot_write = False
