"""A picture of the corpus: a small plot of each trace, to see that it is what it claims to be."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from benchmarks.leaks.corpus.catalogue import FAMILIES
from benchmarks.leaks.corpus.family import Split
from benchmarks.leaks.trace import Trace

_COLUMNS, _WIDTH, _HEIGHT, _TITLE = 6, 300, 130, 18
_GROUNDS: Mapping[Split, str] = {"development": "#ffffff", "validation": "#f2f2f2", "held_out": "#e2e2e2"}


def sheet(traces: Sequence[Trace]) -> str:
    """SVG. Blue: the value; grey: the limit; green and red: onset and exhaustion; dotted: starts. Development families
    are white, validation ones light grey, held-out ones grey.
    """
    rows = -(-len(traces) // _COLUMNS)
    plots = [
        f'<g transform="translate({index % _COLUMNS * _WIDTH},{index // _COLUMNS * _HEIGHT})">{_plot(trace)}</g>'
        for index, trace in enumerate(traces)
    ]
    size = f'width="{_COLUMNS * _WIDTH}" height="{rows * _HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">\n' + "\n".join(plots) + "\n</svg>\n"
    )


def _plot(trace: Trace) -> str:
    ground = _GROUNDS[FAMILIES[trace.family].split]
    begin, end = min(trace.times), max(trace.times)
    top = max(trace.limits) * 1.03
    across, up = (_WIDTH - 4) / (end - begin), (_HEIGHT - _TITLE - 4) / top

    def x(at: float) -> float:
        return 2 + (at - begin) * across

    def y(value: float) -> float:
        return _HEIGHT - 2 - value * up

    def upright(at: float, style: str) -> str:
        inside = begin - 300 <= at <= end + 300
        return f'<path d="M{max(2.0, x(at)):.1f},{_TITLE}V{_HEIGHT - 2}" fill="none" {style}/>' if inside else ""

    parts = [f'<rect x="1" y="1" width="{_WIDTH - 2}" height="{_HEIGHT - 2}" fill="{ground}" stroke="#888888"/>']
    parts.append(f'<text x="4" y="13" font-size="11">{trace.name} {trace.resource} {_span(end - begin)}</text>')
    parts += [upright(at, 'stroke="#999999" stroke-dasharray="1,3"') for at in trace.starts[1:]]
    for leak in trace.leaks:
        parts.append(upright(leak.onset, 'stroke="#118833" stroke-width="1.5"'))
        parts.append(upright(leak.exhaustion, 'stroke="#dd2222" stroke-width="1.5"'))
    for values, colour in ((trace.limits, "#666666"), (trace.values, "#1155cc")):
        dots = [(x(at), y(value)) for at, value in _thinned(trace.times, values)]
        parts.append(f'<path d="{_line(dots)}" fill="none" stroke="{colour}" stroke-width="0.7"/>')
    return "".join(parts)


def _thinned(times: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """The lowest and the highest of what would be drawn in one place."""
    every = max(1, len(times) // (2 * _WIDTH))
    chunks = ((times[low], values[low : low + every]) for low in range(0, len(times), every))
    return [(at, value) for at, chunk in chunks for value in (min(chunk), max(chunk))]


def _line(dots: Sequence[tuple[float, float]]) -> str:
    """Broken where samples are missing or the clock went back."""
    path = [f"M{dots[0][0]:.1f},{dots[0][1]:.1f}"]
    for (before, _), (at, height) in pairwise(dots):
        path.append(f"{'L' if 0 <= at - before < _WIDTH / 60 else 'M'}{at:.1f},{height:.1f}")
    return "".join(path)


def _span(seconds: float) -> str:
    return f"{seconds / 86400:.1f} d" if seconds > 86400 else f"{seconds / 3600:.1f} h"
