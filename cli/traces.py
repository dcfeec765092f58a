"""CSV traces as samples: ``timestamp,value[,limit]``, one line in memory at a time, however long the file is."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from exporters.leaks.assessment import Sample
from homeostat.clock import parse_rfc3339
from homeostat.errors import SettingsError
from homeostat.explain import shown

#: In the order of files without a header, which may have the first two or three.
COLUMNS = ("timestamp", "value", "limit", "started_at", "work")
_REQUIRED = 2
_WITHOUT_HEADER = 3
_FORM = "timestamp,value[,limit], separated by commas"
#: Bytes. No row of five numbers is as long; what is longer is not a trace.
_LONGEST_LINE = 4096
#: The year 10000, which no calendar here can write.
_LAST_MOMENT = 253402300800.0


class Trace:
    """Samples in the order of the file. Iterate once.

    ``file`` is read as UTF-8; its first line may name the columns, in any order. ``limit`` is for files without a
    column for it. Times are epoch seconds or RFC 3339; they may go back, as clocks do: ``steps_back`` counts that, and
    ``first_step_back`` is the line. ``consumed``: bytes read so far.

    Raises SettingsError, with file and line, at the first row that is wrong, and for a file without samples.
    """

    def __init__(self, name: str, file: BinaryIO, limit: float | None = None) -> None:
        self.name = name
        self.samples = 0
        self.consumed = 0
        self.steps_back = 0
        self.first_step_back = 0
        self._file = file
        self._limit = limit
        self._line = 0

    def __iter__(self) -> Iterator[Sample]:
        latest = -math.inf
        for sample in self._explained():
            if sample.at < latest:
                self.steps_back += 1
                self.first_step_back = self.first_step_back or self._line
            latest = sample.at
            self.samples += 1
            yield sample
        if not self.samples:
            raise SettingsError([f"{self.name}: has no samples; allowed: rows of {_FORM}"])

    def _explained(self) -> Iterator[Sample]:
        try:
            yield from self._parsed()
        except UnicodeDecodeError:
            raise self._wrong(f"is not UTF-8 text; allowed: rows of {_FORM}") from None
        except csv.Error as err:
            raise self._wrong(f"is not CSV: {err}") from None
        except ValueError as err:
            raise self._wrong(str(err)) from None
        except OSError as err:
            raise self._wrong(f"cannot be read: {err.strerror}") from err

    def _wrong(self, words: str) -> SettingsError:
        return SettingsError([f"{self.name}:{max(self._line, 1)}: {words}"])

    def _parsed(self) -> Iterator[Sample]:
        rows = self._rows()
        first = next(rows, None)
        if first is None:
            return
        layout = _header(first)
        if layout is None:
            layout = _without_header(first)
            yield layout.sample(first, self._limit)
        elif self._limit is not None and "limit" in layout.places:
            raise ValueError("the file has a column `limit`, and --limit is given; allowed: one of them")
        for row in rows:
            yield layout.sample(row, self._limit)

    def _rows(self) -> Iterator[list[str]]:
        """Cells of each line that is not blank. A quoted cell ends on its line: a number has no line breaks."""
        encoding = "utf-8-sig"
        while raw := self._file.readline(_LONGEST_LINE + 1):
            self._line += 1
            self.consumed += len(raw)
            if len(raw) > _LONGEST_LINE:
                raise ValueError(f"is longer than {_LONGEST_LINE} bytes; allowed: rows of {_FORM}")
            row = next(csv.reader((raw.decode(encoding),), strict=True))
            encoding = "utf-8"
            if row:
                yield row


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which cell is which. ``width``: how many cells each row has."""

    places: Mapping[str, int]
    width: int

    def sample(self, row: Sequence[str], limit: float | None) -> Sample:
        """Raises ValueError with what is wrong and what is allowed."""
        if len(row) != self.width:
            raise ValueError(f"has {_columns(len(row))}, the lines before have {self.width}")
        return Sample(
            at=_moment("timestamp", row[self.places["timestamp"]]),
            value=_number("value", row[self.places["value"]]),
            limit=limit if (text := self._optional("limit", row)) is None else _limit(text),
            started_at=None if (text := self._optional("started_at", row)) is None else _moment("started_at", text),
            work=None if (text := self._optional("work", row)) is None else _number("work", text),
        )

    def _optional(self, name: str, row: Sequence[str]) -> str | None:
        """None where the file has no such column or this row has nothing in it."""
        place = self.places.get(name)
        return None if place is None or not row[place].strip() else row[place]


def _header(row: Sequence[str]) -> _Layout | None:
    """None when this is not a header, but data. Raises ValueError for one that cannot be used."""
    names = [cell.strip().lower() for cell in row]
    if not set(COLUMNS[:_REQUIRED]) & set(names):
        return None
    for name in names:
        if name not in COLUMNS:
            raise ValueError(f"header: {shown(name)}unknown column; allowed: {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise ValueError(f"header: {shown(name)}named twice")
    for name in COLUMNS[:_REQUIRED]:
        if name not in names:
            raise ValueError(f"header: has no column `{name}`; allowed: {', '.join(COLUMNS)}")
    return _Layout({name: place for place, name in enumerate(names)}, len(names))


def _without_header(row: Sequence[str]) -> _Layout:
    if not _REQUIRED <= len(row) <= _WITHOUT_HEADER:
        raise ValueError(f"has {_columns(len(row))}; allowed: {_FORM}, or a header that names them")
    return _Layout({name: place for place, name in enumerate(COLUMNS[: len(row)])}, len(row))


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"


def _number(name: str, text: str) -> float:
    """Finite, 0 or more."""
    try:
        number = math.nan if "_" in text else float(text)
    except ValueError:
        number = math.nan
    if not 0.0 <= number < math.inf:
        raise ValueError(f"{name}: {shown(text)}must be a number in base units, 0 or more")
    return number


def _limit(text: str) -> float:
    limit = _number("limit", text)
    if limit == 0.0:
        raise ValueError(f"limit: {shown(text)}must be more than 0; leave it empty where there is none")
    return limit


def _moment(name: str, text: str) -> float:
    """Epoch seconds."""
    moment = _epoch(text)
    if not 0.0 <= moment < _LAST_MOMENT:
        raise ValueError(f"{name}: {shown(text)}must be seconds (not milliseconds) since 1970, or RFC 3339 with a zone")
    return moment


def _epoch(text: str) -> float:
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        pass
    try:
        moment = parse_rfc3339(text.strip())
    except (ValueError, OverflowError):
        return math.nan
    return math.nan if moment is None else moment
