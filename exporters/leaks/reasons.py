"""Words for why a verdict is what it is."""

TOO_YOUNG = "too_young"
NO_LIMIT = "no_limit"
#: Growth that is not a leak's.
TOO_SMALL = "too_small"
STEPS = "steps"
TOO_SHORT = "too_short"
SLOWING_DOWN = "slowing_down"
#: It has been seen to give back as much by itself.
COMES_BACK = "comes_back"
FAR_FROM_LIMIT = "far_from_limit"
NOT_SIGNIFICANT = "not_significant"
FOLLOWS_LOAD = "follows_load"
NOT_YET_LASTING = "not_yet_lasting"
#: What speaks for a leak.
STEADY_GROWTH = "steady_growth"
GROWS_DAY_BY_DAY = "grows_day_by_day"
GROWS_SINCE_START = "grows_since_start"
GROWS_AS_BEFORE_RESTART = "grows_as_before_restart"
ACCELERATES = "accelerates"
#: A pool says so itself: connections that are not given back, and callers that wait.
HELD_TOO_LONG = "held_too_long"
WAITERS = "waiters"
