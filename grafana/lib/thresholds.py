"""From which value on a number is coloured: the one place for what counts as much, and as too much."""

from dataclasses import dataclass

from grafana.lib.style import Color


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``base`` below the first step; each step from its value on. Values are in the panel's unit, rising."""

    base: Color = Color.GREEN
    steps: tuple[tuple[float, Color], ...] = ()

    def color(self, value: float) -> Color:
        found = self.base
        for start, color in self.steps:
            if value >= start:
                found = color
        return found


#: A number that is neither good nor bad.
PLAIN = Thresholds(Color.BLUE)
#: One of these is one too many.
NONE_WANTED = Thresholds(steps=((1, Color.RED),))
#: One of these is for people to look at, and no emergency.
FEW_WANTED = Thresholds(steps=((1, Color.ORANGE),))
#: The used share of what is limited, unless an alert has a threshold of its own. Red is when it is soon too late.
FILLING = Thresholds(steps=((0.8, Color.ORANGE), (0.9, Color.RED)))
#: The share of what went as it should.
SUCCESS = Thresholds(Color.RED, ((0.8, Color.ORANGE), (0.95, Color.GREEN)))
#: The share of time: three nines and two.
AVAILABILITY = Thresholds(Color.RED, ((0.99, Color.ORANGE), (0.999, Color.GREEN)))
#: Seconds since the alert that always fires arrived last; `responder.dead_man_timeout` as shipped.
DEAD_MAN = Thresholds(steps=((180, Color.RED),))
#: Seconds of a recovery: README promises 15.
RECOVERY = Thresholds(steps=((15, Color.ORANGE), (60, Color.RED)))
#: The share of time that work waited for a resource.
WAITING = Thresholds(steps=((0.2, Color.ORANGE), (0.6, Color.RED)))
#: Seconds until something is used up: a day is time for a person to act, an hour is not.
TIME_LEFT = Thresholds(Color.RED, ((3600, Color.ORANGE), (86400, Color.GREEN)))
#: The share of an error budget that is left.
BUDGET_LEFT = Thresholds(Color.RED, ((0, Color.ORANGE), (0.25, Color.GREEN)))
#: How fast an error budget is used up: 1 is what it allows, 14.4 what ErrorBudgetBurnFast fires at.
BURN = Thresholds(steps=((1, Color.ORANGE), (14.4, Color.RED)))
