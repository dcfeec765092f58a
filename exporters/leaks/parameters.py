"""The numbers that the detector decides by. Chosen on the development families of benchmarks/leaks, and frozen before the
held-out ones were run.
"""

from dataclasses import dataclass

#: Widths of the buckets that floors are kept of, in seconds; each divides the next.
WIDTHS_S = (60, 300, 1800, 7200)
#: Floors kept at each scale: 1.6 h, 8 h, 2 d, 8 d.
POINTS = 96
#: Peaks kept at the coarsest scale: a day.
PEAKS = 12
#: Buckets that the usual height of peaks above floors is a mean of.
SWING_OF = 12

#: Windows at the finest scale, as (blocks, points in a block), and at the others.
FINE_WINDOWS = ((6, 1), (9, 1), (12, 1), (8, 2), (12, 2), (12, 3), (12, 4), (12, 6), (12, 8))
WINDOWS = ((12, 2), (12, 3), (12, 4), (12, 6), (12, 8))
#: Windows of whole days at the coarsest scale.
DAYS = (3, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class Parameters:
    """``trust_*``: growth that was seen for so long is believed to go on for so many times that. ``young_s`` and
    ``grown_s``: ages up to which, and from which on, growth since the start is trusted ``trust_young`` and
    ``trust_grown``. ``back``: growth has to be so many times what the series has given back by itself.
    ``lasting``: share of its window for which growth has to be seen.
    """

    trust_short: float = 0.4
    trust_long: float = 2.6
    trust_quick: float = 0.4
    quick_s: float = 0.6 * 3600.0
    short_s: float = 1.5 * 3600.0
    hours_s: float = 4.5 * 3600.0
    long_s: float = 24 * 3600.0
    trust_days: float = 3.4
    days_s: float = 48 * 3600.0
    trust_young: float = 0.25
    trust_grown: float = 1.6
    trust_again: float = 3.0
    trust_suspect: float = 2.0
    young_s: float = 12 * 3600.0
    grown_s: float = 26 * 3600.0
    back: float = 1.3
    days_known_s: float = 26 * 3600.0
    daily_share: float = 0.1
    least_of_slope: float = 0.25
    least_share: float = 0.04
    least_units: float = 5.0
    largest_step: float = 0.40
    least_steps: int = 5
    step_share: float = 0.04
    slowdown: float = 0.5
    follows: float = 0.8
    follows_s: float = 12 * 3600.0
    still: float = 0.4
    above_past: float = 0.3
    acceleration: float = 1.4
    lasting: float = 1 / 24
    p_limit: float = 0.05
    few_hours: int = 16
    steady_hours: float = 0.6
    largest_leap: float = 0.5


PARAMETERS = Parameters()
