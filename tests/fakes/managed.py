"""Managed files on a real disk, and a clock whose wall and monotonic time are apart: files have the disk's times."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeostat.configfiles.errors import FileRefused
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.schema.base import Violation
from homeostat.configfiles.spec import ManagedFile

#: Of different sizes: two changes within one tick of the disk's clock would look the same.
GOOD = b"A=1\n"
OTHER = b"A=1\nB=2\n"
BAD = b"A='1\n"


class Hands:
    """homeostat.clock.Clock. An hour after what is written now, so that all of it is old, unless told otherwise."""

    def __init__(self, ahead_s: float = 3600.0) -> None:
        self.wall = time.time() + ahead_s
        self.elapsed = 1000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.elapsed

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)


@dataclass
class Judge:
    """homeostat.configfiles.validation.SchemaOf, as the test wants it: ``flaws`` by path, an ``error`` for a schema
    that is of no use, something that happens ``meanwhile``.
    """

    flaws: Mapping[Path, str]
    error: Exception | None = None
    meanwhile: Callable[[], object] | None = None
    asked: int = 0

    def __call__(self, spec: ManagedFile) -> "_Schema":
        self.asked += 1
        if self.meanwhile is not None:
            what, self.meanwhile = self.meanwhile, None
            what()
        if self.error is not None:
            raise self.error
        return _Schema(self.flaws.get(spec.path, ""))


@dataclass
class _Schema:
    words: str

    def check(self, data: Mapping[str, object]) -> Sequence[Violation]:
        return [Violation((), self.words, "test")] if self.words else []


def broken_schema() -> FileRefused:
    return FileRefused("schema.json: is no schema")


def managed(folder: Path, clock: Hands, *names: str, judge: Judge | None = None, **spec: object) -> ConfigFiles:
    """``NAME.env`` for each name, good and with these settings."""
    specs = {}
    for name in names or ("web",):
        path = folder / f"{name}.env"
        if not path.exists():
            path.write_bytes(GOOD)
        specs[name] = ManagedFile(path=path, **{"settle": 3.0, **spec})
    return ConfigFiles(specs, folder / "versions", now=clock.now, schema_of=judge or Judge({}))
