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
FOLLOWS_LOAD = "follows_load"
#: What speaks for a leak.
STEADY_GROWTH = "steady_growth"
GROWS_DAY_BY_DAY = "grows_day_by_day"
GROWS_SINCE_START = "grows_since_start"
GROWS_AS_BEFORE_RESTART = "grows_as_before_restart"
ACCELERATES = "accelerates"
