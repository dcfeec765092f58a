"""A labelled trace."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from exporters.leaks.assessment import Sample


@dataclass(frozen=True, slots=True)
class Leak:
    """A time in which something leaks: from ``onset`` until ``exhaustion``, when the value meets the limit, or would
    have met it had the trace, a restart or a fix not come first; ``ends`` is when it really ends. Epoch seconds.
    """

    onset: float
    exhaustion: float
    ends: float


@dataclass(frozen=True, slots=True)
class Trace:
    """``times``: epoch seconds as the sampler's clock has them (gaps and jumps included), ``values`` and ``limits`` in
    base units. ``starts``: starts of the container, the first at or before the first sample. ``work``: a counter, or
    empty. ``leaks``: none for a healthy one. ``is_fast``: exhaustion within an hour of onset.
    """

    name: str
    family: str
    resource: str
    times: "array[float]"
    values: "array[float]"
    limits: "array[float]"
    starts: tuple[float, ...]
    work: "array[float]" = field(default_factory=lambda: array("d"))
    leaks: tuple[Leak, ...] = ()

    @property
    def is_fast(self) -> bool:
        return bool(self.leaks) and self.leaks[0].exhaustion - self.leaks[0].onset <= 3600.0

    def samples(self) -> Iterator[Sample]:
        """In the order in which they were taken, as the exporter would have them."""
        started, later = self.starts[0], list(self.starts[1:])
        for index, (at, value, limit) in enumerate(zip(self.times, self.values, self.limits, strict=True)):
            while later and later[0] <= at:
                started = later.pop(0)
            yield Sample(at, value, limit, started, self.work[index] if self.work else None)
