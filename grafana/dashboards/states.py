"""What numbers mean on more than one dashboard."""

from grafana.lib import Color, State

GOOD_BAD = (State(0, "failing", Color.RED), State(1, "good", Color.GREEN))
UNDER_WAY = (State(0, "none", Color.GREEN), State(1, "under way", Color.ORANGE))
