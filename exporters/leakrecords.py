"""All series and load curves as bytes, and back. What is read is trusted in nothing. No I/O."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

from exporters.leakinputs import Resource, SeriesKey
from exporters.leaks import stored as detectors
from exporters.leakseries import MOST_SERIES, AllSeries, Series
from exporters.loadcurve import SLOTS, LoadCurve
from homeostat.quantities import at_least, at_most, entries
from homeostat.structure import stored

#: Of the file, and of the detectors in it.
VERSION = [1, detectors.VERSION]
#: Twice what is usually written of as many series as there may be.
MOST_BYTES = 16 * 2**20

#: The year 33,000; and more cores than anybody has.
_Number = Annotated[float, at_least(0.0), at_most(1e12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Of leakseries.Series, and whose it is."""

    workload: str
    container: str
    resource: Resource
    seen_at: _Number
    growing_since: _Number | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """Of loadcurve.LoadCurve, and whose it is."""

    workload: str
    cores: Annotated[tuple[_Number | None, ...], entries(SLOTS, SLOTS)]
    slot: Annotated[int, at_least(-1), at_most(10**10)]
    used_s: _Number
    seen_s: _Number


def dump(everything: AllSeries) -> bytes:
    """As JSON, a line for each series and each workload. Blocking: 50 us a series."""
    with everything.lock:
        series = ",\n".join(_series_lines(everything))
        curves = ",\n".join(_curve_lines(everything))
    return f'{{"version": {json.dumps(VERSION)},\n"series": [\n{series}\n],\n"curves": [\n{curves}\n]}}\n'.encode()


def _series_lines(everything: AllSeries) -> Iterator[str]:
    for key, series in everything.series.items():
        record = _Series(
            workload=key.workload,
            container=key.container,
            resource=key.resource,
            seen_at=series.seen_at,
            growing_since=series.growing_since,
        )
        yield _line(asdict(record) | {"detector": detectors.dump(series.detector)})


def _curve_lines(everything: AllSeries) -> Iterator[str]:
    for workload, curve in everything.loads.curves.items():
        record = _Curve(
            workload=workload,
            cores=tuple(curve.cores),
            slot=curve.slot,
            used_s=curve.used_s,
            seen_s=curve.seen_s,
        )
        yield _line(asdict(record))


def _line(record: dict[str, object]) -> str:
    return json.dumps(record, separators=(",", ":"), allow_nan=False)


def load(content: bytes) -> AllSeries:
    """What :func:`dump` was given, less what a round says of it. Raises ValueError, which says what is wrong."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    try:
        document = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(document, dict) or document.keys() != {"version", "series", "curves"}:
        raise ValueError("it does not hold a version, series and curves")
    if document["version"] != VERSION:
        raise ValueError(f"it is of version {document['version']!r:.40}; allowed: {VERSION}")
    series, curves = document["series"], document["curves"]
    if not isinstance(series, list) or not isinstance(curves, list) or max(len(series), len(curves)) > MOST_SERIES:
        raise ValueError(f"series or curves are no lists of at most {MOST_SERIES}")
    everything = AllSeries()
    everything.series = dict(map(_series, series))
    everything.loads.curves = dict(map(_curve, curves))
    return everything


def _series(raw: object) -> tuple[SeriesKey, Series]:
    if not isinstance(raw, dict):
        raise ValueError("a series is no object")  # noqa: TRY004 - wrong data, not a wrong call
    detector = detectors.load(raw.pop("detector", None))
    record = stored(_Series, raw)
    key = SeriesKey(record.workload, record.container, record.resource)
    return key, Series(detector, record.seen_at, record.growing_since)


def _curve(raw: object) -> tuple[str, LoadCurve]:
    record = stored(_Curve, raw)
    return record.workload, LoadCurve(list(record.cores), record.slot, record.used_s, record.seen_s)
