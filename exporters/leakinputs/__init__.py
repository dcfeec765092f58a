"""Where leaks are looked for. What is not told is no reading, never 0."""

from collections.abc import Awaitable, Callable

from exporters.leakinputs.containers import Containers
from exporters.leakinputs.databases import Databases
from exporters.leakinputs.hostlimits import HostLimits
from exporters.leakinputs.processes import Processes
from exporters.leakinputs.reading import Bound, Level, Reading, Resource, SeriesKey

__all__ = [
    "Bound",
    "Containers",
    "Databases",
    "HostLimits",
    "Input",
    "Level",
    "Processes",
    "Reading",
    "Resource",
    "SeriesKey",
]

#: Takes readings of all that it is about. Raises HomeostatError when it cannot.
Input = Callable[[], Awaitable[list[Reading]]]
