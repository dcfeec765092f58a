"""A family of traces: one shape, many seeds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.leaks.corpus.draft import Draft
from benchmarks.leaks.corpus.stage import Stage

Split = Literal["development", "validation", "held_out"]
Maker = Callable[[Stage], Draft]


@dataclass(frozen=True, slots=True)
class Family:
    """``theme``: what it examines; each theme has families in every split, which differ in kind. ``weeks``: how long a
    trace is at most, ``step_s`` the seconds between its samples.
    """

    name: str
    theme: str
    is_leak: bool
    split: Split
    make: Maker
    resource: str = "memory"
    weeks: float = 1.0
    step_s: float = 60.0
