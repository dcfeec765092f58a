"""The numbers that the detector decides by. Chosen on the development families of benchmarks/leaks, and frozen before
the held-out ones were run.
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

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """See docs/leak-detection.md."""

    # --- Trust: growth that was seen for so long is believed to go on for so many times that.

    #: In windows of up to ``hours_s``: load peaks, jobs and mornings look the same; of ``long_s``; from ``days_s`` on.
    #: A little more in windows of up to ``quick_s``, as little time is left.
    trust_quick: float = 0.5
    trust_short: float = 0.4
    trust_long: float = 3.2
    trust_days: float = 4.5
    quick_s: float = 0.6 * _HOUR_S
    hours_s: float = 4.5 * _HOUR_S
    long_s: float = 24 * _HOUR_S
    days_s: float = 48 * _HOUR_S
    #: Until a day and a little more is known, shorter windows than ``long_s`` may show the time of day.
    days_known_s: float = 26 * _HOUR_S
    #: Growth since the start, at ages up to ``young_s`` and from ``grown_s`` on: until then it may be a warm-up.
    trust_young: float = 0.25
    trust_grown: float = 2.0
    young_s: float = 12 * _HOUR_S
    grown_s: float = 22 * _HOUR_S
    #: Growth as before the last restart.
    trust_again: float = 3.0
    #: For a suspicion, so many times the trust is enough.
    trust_suspect: float = 2.0

    # --- Shape

    #: Growth has to be so many times what the series has given back by itself,
    back: float = 1.3
    #: such a share of the limit, and so many units.
    least_share: float = 0.04
    least_units: float = 5.0
    #: No block has more than this share of it, and so many blocks have each at least that.
    largest_step: float = 0.40
    least_steps: int = 5
    step_share: float = 0.04
    #: The later half grows at least so many times as fast as the earlier, and the last quarter as all of it.
    slowdown: float = 0.5
    still: float = 0.4
    #: From here on it accelerates, and only the later half tells how fast it is now.
    acceleration: float = 1.4
    #: With so little of it in the earlier half the window is for the most part of before, and a shorter one has it.
    from_nothing: float = 0.2
    #: In windows of up to ``follows_s``: growth below so many times the growth of load follows it.
    follows: float = 0.8
    follows_s: float = 12 * _HOUR_S

    # --- Days

    #: A series that gives back such a share of a rise may have a time of day in it.
    daily_share: float = 0.1
    #: The least that the last day may make of a slope.
    least_of_slope: float = 0.25
    #: What grew since yesterday is this share of it above all other days.
    above_past: float = 0.3
    #: Day by day: all times of day but one in ``few_hours`` grow at least so much of what they usually do, and no two
    #: hours have more than ``largest_leap`` of it.
    few_hours: int = 16
    steady_hours: float = 0.75
    largest_leap: float = 0.4
    #: It has a time of day: within its first day it gives back so much of what a day adds. Others need no such window.
    daily_swing: float = 0.35

    # --- Certainty

    #: How long it has to be seen: a share of its window.
    lasting: float = 1 / 24
    #: Of a series without a trend rising so.
    p_limit: float = 0.01


PARAMETERS = Parameters()
