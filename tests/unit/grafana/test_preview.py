"""What the preview makes of Prometheus's answers: words, rows and a picture."""

import pytest

from grafana.lib import (
    Annotation,
    Color,
    Column,
    Dashboard,
    Heading,
    Key,
    Panel,
    Query,
    Stat,
    State,
    StateTimeline,
    Table,
    Thresholds,
    TimeSeries,
    Unit,
    Variable,
)
from grafana.preview.answers import Answer, Answers, Series
from grafana.preview.charts import Named, runs
from grafana.preview.filling import Window, variable_of
from grafana.preview.page import HEAD_PX, ROW_PX, WIDTH_PX
from grafana.preview.picture import compose, draw
from grafana.preview.rows import headers, rows
from grafana.preview.words import legend, number

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, Unit.COUNT, "0"),
        (0, Unit.RATIO, "0%"),
        (0, Unit.BYTES, "0 B"),
        (0, Unit.SECONDS, "0 s"),
        (1234, Unit.NONE, "1234"),
        (1234, Unit.COUNT, "1.23 K"),
        (2.5e6, Unit.COUNT, "2.5 Mil"),
        (0.00583, Unit.COUNT, "0.00583"),
        (192 * 2**20, Unit.BYTES, "192 MiB"),
        (1023, Unit.BYTES, "1023 B"),
        (1536, Unit.BYTES_RATE, "1.5 KiB/s"),
        (0.872, Unit.RATIO, "87.2%"),
        (0.00045, Unit.RATIO, "0.045%"),
        (3.1e-4, Unit.SECONDS, "310 µs"),
        (90, Unit.SECONDS, "1.5 min"),
        (-2, Unit.SECONDS, "-2 s"),
        (7200, Unit.SECONDS, "2 hours"),
        (12.5, Unit.COUNT_RATE, "12.5 /s"),
        (3000, Unit.PACKET_RATE, "3 K p/s"),
        (7, Unit.IO_RATE, "7 io/s"),
        ((NOW - 120) * 1000, Unit.AGO, "2 min ago"),
        ((NOW + 3600) * 1000, Unit.AGO, "in 1 hours"),
        (float("nan"), Unit.BYTES, "nan"),
        (float("inf"), Unit.SECONDS, "inf"),
    ],
)
def test_a_number_is_written_in_its_unit(value, unit, text):
    assert number(value, unit, NOW) == text


def test_a_legend_is_filled_in_and_labels_that_are_not_there_leave_no_space():
    assert legend("{{workload}} {{container}} limit", {"workload": "a"}) == "a limit"


def test_an_expression_is_filled_in_as_grafana_does():
    window = Window(NOW - 3600, NOW, {"workload": "shop/web"})

    filled = window.fill('m{w="$workload"}[$__rate_interval] m[$__interval] m[$__range]', window.step_s())
    assert filled == 'm{w="shop/web"}[60s] m[15s] m[3600s]'


@pytest.mark.parametrize(
    ("hours", "least_s", "step_s"), [(1, 15, 15), (1, 5, 15), (0.25, 5, 5), (24, 15, 360), (1, 60, 60)]
)
def test_a_step_grows_with_the_time_that_is_shown_and_is_never_shorter_than_its_view_wants(hours, least_s, step_s):
    assert Window(NOW - hours * 3600, NOW).step_s(least_s) == step_s


def test_the_rate_interval_is_a_scrape_longer_than_the_step():
    assert Window(0, NOW).fill("$__rate_interval", 360) == "375s"


@pytest.mark.parametrize(
    ("has_many", "values", "chosen"), [(True, ["a"], ".+"), (False, ["a", "b"], "a"), (False, [], "none")]
)
def test_a_variable_is_all_or_the_first_that_there_is(has_many, values, chosen):
    dashboard = Dashboard("u", "t", "d", (), variables=(Variable("v", "V", "q", has_many=has_many),))

    assert variable_of(dashboard, {"v": values}) == {"v": chosen}


def now_of(*samples):
    return Answer(Query(""), [Series(labels, [(NOW, value)]) for labels, value in samples], 15)


def test_rows_are_merged_by_their_keys_and_hold_what_there_is():
    table = Table(
        (Key("job", "Part"),),
        (
            Column("Up", "", states=(State(1, "yes", Color.GREEN),)),
            Column("Used", "", Unit.RATIO, thresholds=Thresholds(steps=((0.9, Color.RED),))),
            Column("Version", "", label="version"),
        ),
    )

    found = rows(
        table,
        [
            now_of(({"job": "b"}, 1), ({"job": "a"}, 0)),
            now_of(({"job": "b"}, 0.95)),
            now_of(({"job": "a", "version": "1.2"}, 1)),
        ],
        NOW,
    )
    assert headers(table) == ["Part", "Up", "Used", "Version"]
    assert found == [
        [("a", Color.GREY), ("0", Color.GREY), ("", Color.GREY), ("1.2", Color.GREY)],
        [("b", Color.GREY), ("yes", Color.GREEN), ("95%", Color.RED), ("", Color.GREY)],
    ]


def test_a_line_is_broken_where_nothing_was_measured():
    one = Named("a", [(0, 1.0), (15, 1.0), (60, 1.0), (75, 1.0)], 15)

    assert [list(run) for run in runs(one)] == [[(0, 1.0), (15, 1.0)], [(60, 1.0), (75, 1.0)]]


def ranged(legend_, *values, step_s=60):
    points = [(NOW - 3600 + step_s * index, value) for index, value in enumerate(values, start=1)]
    return Answer(Query("", legend_), [Series({"job": "web"}, points)], step_s)


STATES = (State(1, "bad", Color.RED), State(2, "good", Color.GREEN))
PARTS = (
    Panel("Number", "One number.", Unit.RATIO, Stat(Query(""), "none at all"), width=4, height=4),
    Panel("Nothing", "No number.", Unit.RATIO, Stat(Query(""), "none at all"), width=4, height=4),
    Heading("Below"),
    Panel("Rows", "A `table`.", Unit.NONE, Table((Key("job", "Part"),), (Column("Up", "", Unit.COUNT),))),
    Panel("Lines", "Lines.", Unit.BYTES, TimeSeries((Query(""),), thresholds=Thresholds(steps=((2**20, Color.RED),)))),
    Panel("Bars", "Bars.", Unit.COUNT, TimeSeries((Query(""), Query("")), has_bars=True)),
    Panel("Areas", "Areas.", Unit.COUNT, TimeSeries((Query(""), Query("")), is_stacked=True)),
    Panel("States", "States.", Unit.NONE, StateTimeline((Query(""),), STATES)),
    Panel("Empty", "Nothing there.", Unit.COUNT, TimeSeries((Query(""),))),
)  # fmt: skip
BOARD = Dashboard("u", "A dashboard", "About it.", PARTS, variables=(Variable("v", "Chosen", "q"),))
ANSWERS = Answers(
    Window(NOW - 3600, NOW, {"v": "this one"}),
    [
        [now_of(({}, 0.5))],
        [now_of()],
        [now_of(({"job": "prometheus"}, 1))],
        [ranged("{{job}} memory", 2**20, 2**21)],
        [ranged("a", 1.0, 2.0), ranged("b", 3.0, 4.0)],
        [ranged("a", 1.0, 2.0), ranged("b", 3.0, 4.0)],
        [ranged("{{job}}", 1.0, 2.0)],
        [Answer(Query(""), [], 60)],
    ],
    [(Annotation("Repairs", Color.ORANGE, expr="up"), ranged("", 1.0))],
)


def words(figure):
    of_axes = [text.get_text() for axes in figure.axes for text in [*axes.texts, *axes.get_yticklabels()]]
    return [*(text.get_text() for text in figure.texts), *of_axes]


def test_a_picture_says_what_the_dashboard_says():
    said = words(compose(BOARD, ANSWERS))

    for expected in (
        "A dashboard",
        "Chosen: this one     shaded: repairs",
        "▾ Below",
        "50%",
        "none at all",
        "A table.",
        "prometheus",
        "web memory",
        "2 MiB",
        "■ bad",
        "■ good",
        "No data",
    ):
        assert expected in said
    assert said.count("No data") == 1


def test_bars_and_areas_stand_on_each_other():
    figure = compose(BOARD, ANSWERS)
    bars, areas = (axes for axes in figure.axes if axes.get_ylim()[1] > 5 and axes.get_ylim()[1] < 10)

    assert bars.get_ylim()[1] == pytest.approx(6 * 1.06)
    assert areas.get_ylim()[1] == pytest.approx(6 * 1.06)


def test_states_are_drawn_in_their_colors_over_the_step_that_they_end():
    figure = compose(BOARD, ANSWERS)
    (states,) = [axes for axes in figure.axes if [label.get_text() for label in axes.get_yticklabels()] == ["web"]]

    bars = [
        (bar.get_x() - (NOW - 3600), bar.get_width(), bar.get_facecolor()) for bar in states.containers for bar in bar
    ]
    assert [(start, width) for start, width, _ in bars] == [(0, 60), (60, 60)]
    assert bars[0][2] != bars[1][2]


def test_the_file_is_a_png_of_the_size_of_the_grid(tmp_path):
    target = tmp_path / "u.png"

    draw(BOARD, ANSWERS, target)

    header = target.read_bytes()[:24]
    width, height = (int.from_bytes(header[start : start + 4]) for start in (16, 20))
    assert header[1:4] == b"PNG"
    assert width == WIDTH_PX
    assert height == HEAD_PX + (4 + 1 + 8 * 3) * ROW_PX + 10
