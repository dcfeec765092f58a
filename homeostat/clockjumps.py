"""How far the wall clock was set between two looks. For whoever compares wall times, as of records and timestamps.

WSL2 stands still while Windows sleeps, all its clocks with it; when it wakes, its wall clock lags by that long, and is
set right seconds to hours later (microsoft/WSL issues 4149, 5324, 10006): a jump forward. What was written meanwhile is
dated too early. A lag that is not yet corrected cannot be seen from inside. A notebook that slept shows a jump forward,
too: its wall clock went on, its monotonic clock did not.
"""

from dataclasses import dataclass

from homeostat.clock import Clock

#: Between reading one clock and the other the process may be stopped for a while.
_NOISE_S = 0.5
#: NTP moves the wall clock towards the right time by at most 500 ppm (adjtimex(2)): no jump.
_SLEW = 500e-6


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment, in seconds."""

    wall: float
    monotonic: float


def read(clock: Clock) -> Reading:
    """Now."""
    return Reading(clock.now(), clock.monotonic())


def jump_s(earlier: Reading, later: Reading) -> float:
    """How far the wall clock was set between two readings: > 0 forward, < 0 back, 0 for no more than is normal."""
    passed_s = later.monotonic - earlier.monotonic
    jump = later.wall - earlier.wall - passed_s
    return jump if abs(jump) > _NOISE_S + _SLEW * passed_s else 0.0
