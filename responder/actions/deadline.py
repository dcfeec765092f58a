"""A step's own end, a little before the engine's: what is stopped there can still say what it did."""

from dataclasses import dataclass

from homeostat.clock import Clock

#: Of the step's time; what is kept back is for ending and telling.
_SHARE = 0.8
_MOST_KEPT_S = 2.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """``at``: monotonic."""

    clock: Clock
    at: float

    @classmethod
    def of_step(cls, timeout_s: float, clock: Clock) -> "Deadline":
        """For a step that begins now."""
        return cls(clock, clock.monotonic() + max(timeout_s * _SHARE, timeout_s - _MOST_KEPT_S))

    @property
    def left_s(self) -> float:
        return max(self.at - self.clock.monotonic(), 0.0)

    @property
    def is_over(self) -> bool:
        return self.left_s == 0
