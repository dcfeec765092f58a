"""The dashboards load in the model of its JSON that Grafana publishes (grafana-foundation-sdk), and lose nothing."""

import json

from boards import BOARDS, each_board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, RowPanel

register_default_plugins()

#: What Prometheus's plugin adds to annotations, which the model leaves to it.
OF_THE_PLUGIN = {f"/annotations/list[]/{name}" for name in ("step", "textFormat", "titleFormat", "useValueForTime")}


def load(board):
    return Dashboard.from_json(board)


def lost(before, after, path=""):
    """Paths of what is not the same after it went through the model."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after[key], f"{path}/{key}") if key in after else [f"{path}/{key}"]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            yield from lost(old, new, f"{path}[]")
    elif before != after:
        yield path


@each_board
def test_every_panel_loads_as_what_it_is(board):
    panels = load(board).panels

    assert [panel.title for panel in panels] == [panel["title"] for panel in board["panels"]]
    assert {type(panel) for panel in panels} <= {Panel, RowPanel}
    for panel in panels:
        if isinstance(panel, Panel):
            assert type(panel.options).__module__ == f"grafana_foundation_sdk.models.{panel.type_val.replace('-', '')}"


@each_board
def test_nothing_is_lost_in_the_model_but_what_a_plugin_adds(board):
    after = json.loads(JSONEncoder().encode(load(board)))

    assert set(lost(board, after)) == OF_THE_PLUGIN


def test_what_the_model_does_not_know_is_noticed():
    board = next(iter(BOARDS.values()))
    wrong = board | {"panels": [board["panels"][0] | {"colour": "red"}]}

    assert "/panels[]/colour" in set(lost(wrong, json.loads(JSONEncoder().encode(load(wrong)))))
