"""``homeostat leaks`` and ``leaks show`` against a real server: what is listed, in which order, and what errors say."""

import asyncio
import json

import pytest
from fakes.leakpage import ROW, LeakPage

from cli.main import main


@pytest.fixture
async def page():
    serving = LeakPage()
    await serving.start()
    yield serving
    await serving.stop()


@pytest.fixture
def ask(run, page, tmp_path):
    """``homeostat leaks ARGS`` with settings that name the page, in a thread: the page is served from this one."""
    settings = tmp_path / "homeostat.yml"
    settings.write_text(f"exporter: {{listen: '{page.listen}'}}\n")

    async def call(*arguments):
        return await asyncio.to_thread(run, *arguments, "--settings", settings)

    return call


def series(verdict, resource="memory", **others):
    return ROW | {"verdict": verdict, "resource": resource} | others


def test_the_command_is_there():
    assert "leaks" in main.commands


async def test_what_leaks_is_listed_with_its_numbers_and_reasons(ask, page):
    page.rows = [series("leak", reasons=["grows", "[red]odd"])]

    result = await ask()

    (line,) = (line for line in result.stdout.splitlines() if "shop/web" in line)
    assert "shop-web-1" in result.stdout
    for words in ("leak", "memory", "95.4 MiB of 512 MiB (cgroup)", "4.0 MiB/h (3.8 to 4.3)"):
        assert words in line
    assert "grows, [red]odd" in line
    assert "in 2" in line and " d " in line


async def test_the_worst_comes_first_and_of_two_the_one_with_less_time(ask, page):
    page.rows = [
        series("warming", "a"),
        series("leak", "b"),
        series("suspect", "c"),
        series("leak", "d", exhaustion=3_999_999_999.0),
        series("exhausting", "e"),
        series("suspect", "f", exhaustion=None, exhaustion_cautious=None),
    ]

    result = await ask("--json")

    listed = [json.loads(line)["resource"] for line in result.stdout.splitlines()]
    assert listed == ["e", "d", "b", "c", "f", "a"]


async def test_healthy_and_young_series_are_only_counted(ask, page):
    page.rows = [series("healthy", "a"), series("healthy", "b"), series("insufficient_data", "c"), series("warming")]

    result = await ask()

    assert result.exit_code == 0
    assert "not listed: 2 healthy, 1 with too little data; --all lists them" in result.stdout
    assert "warming" in result.stdout
    assert "insufficient_data" not in result.stdout


async def test_all_lists_them_too(ask, page):
    page.rows = [series("healthy", "a"), series("insufficient_data", "c", limit=None, slope=0, value=None, bound=None)]

    result = await ask("--all")

    assert result.exit_code == 0
    assert "healthy" in result.stdout and "insufficient_data" in result.stdout
    assert "2 series" in result.stdout and "not listed" not in result.stdout


@pytest.mark.parametrize(
    ("verdict", "code"), [("exhausting", 1), ("leak", 1), ("suspect", 0), ("warming", 0), ("healthy", 0)]
)
async def test_the_exit_code_tells_of_leaks(ask, page, verdict, code):
    page.rows = [series(verdict)]

    assert (await ask()).exit_code == code


async def test_one_workload_may_be_asked_for(ask, page):
    page.rows = [series("healthy"), series("leak", workload="shop/api")]

    healthy, leaking = await ask("shop/web"), await ask("list", "--json", "shop/api")

    assert healthy.exit_code == 0
    assert "shop/api" not in healthy.stdout
    assert [json.loads(line)["workload"] for line in leaking.stdout.splitlines()] == ["shop/api"]


async def test_json_has_all_that_the_page_has_and_no_infinity(ask, page):
    page.answer = json.dumps({"series": [ROW | {"slope_high": float("inf")}]})

    result = await ask("--json")

    line = json.loads(result.stdout, parse_constant=pytest.fail)
    assert line == ROW | {"slope_high": None}


async def test_without_any_series_it_says_so(ask, page):
    page.rows = []

    result = await ask()

    assert result.stdout == "no series is watched yet\n"


async def test_an_unknown_workload_is_told_which_there_are(ask):
    result = await ask("shop/wbe")

    assert result.exit_code == 3
    assert result.stderr == "nothing is known of shop/wbe; there are: shop/web\n"


async def test_a_misspelt_command_is_told_which_there_are(ask):
    result = await ask("analyze", "t.csv")

    assert result.exit_code == 2
    assert "'analyze' is neither a command (analyse, list, show) nor a workload (PROJECT/SERVICE)" in result.stderr


async def test_show_draws_floor_slope_and_forecast(ask, page):
    result = await ask("show", "shop/web", "memory")

    assert result.exit_code == 0, result.stderr
    assert page.asked == [{"history": "1", "workload": "shop/web", "resource": "memory"}]
    assert "shop/web shop-web-1 memory: leak" in result.stdout
    assert "exhausted (UTC)    2096-10-02 07:06:40 (in " in result.stdout
    assert "at the earliest 2093-08-01 21:20:00" in result.stdout
    assert "limit              512 MiB (cgroup)" in result.stdout
    assert "o floor" in result.stdout


async def test_a_process_has_no_container(ask, page):
    page.rows = [ROW | {"workload": "local/api", "container": ""}]

    listed, shown = await ask(), await ask("show", "local/api", "memory")

    assert "local/api" in listed.stdout
    assert shown.stdout.startswith("local/api memory: leak\n")


async def test_show_tells_containers_of_one_workload_apart(ask, page):
    page.rows = [ROW, ROW | {"container": "shop-web-2", "verdict": "exhausting"}]

    both, second = (
        await ask("show", "shop/web", "memory"),
        await ask("show", "shop/web", "memory", "--container", "shop-web-1"),
    )

    assert both.stdout.index("shop-web-2") < both.stdout.index("shop-web-1")
    assert "shop-web-2" not in second.stdout and "shop-web-1" in second.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("shop/web", "files"), "nothing is known of shop/web files; there are: shop/web shop-web-1 memory\n"),
        (
            ("shop/web", "memory", "--container", "x"),
            "nothing is known of shop/web x memory; there are: shop/web shop-web-1 memory\n",
        ),
    ],
)
async def test_show_of_what_is_not_there_tells_what_is(ask, arguments, words):
    result = await ask("show", *arguments)

    assert result.exit_code == 3
    assert words in result.stderr


@pytest.mark.parametrize(
    ("status", "content_type", "answer", "words"),
    [
        (404, "text/plain", "404: Not Found", "tells of no leaks: it is older than this command"),
        (500, "text/plain", "Server got itself\n in trouble", "refused: 500 Server got itself in trouble"),
        (200, "text/html", "<html>", "is no exporter; see exporter.listen"),
        (200, "application/json", "{", "does not answer"),
        (200, "application/json", "[]", "is of another version"),
        (200, "application/json", '{"series": [{}]}', "is of another version: it says KeyError('workload')"),
        (200, "application/json", json.dumps({"series": [ROW | {"verdict": "odd"}]}), "'odd' is not a valid Verdict"),
        (200, "application/json", json.dumps({"series": [ROW | {"slope": None}]}), "is of another version"),
    ],
)
async def test_what_is_no_exporter_is_told_in_a_line(ask, page, status, content_type, answer, words):
    page.status, page.content_type, page.answer = status, content_type, answer

    result = await ask()

    assert result.exit_code == 3
    assert page.listen in result.stderr
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


async def test_an_exporter_that_is_down_is_told_with_what_to_do(ask, page):
    await page.stop()

    result = await ask()

    assert result.exit_code == 3
    assert result.stderr == f"the exporter at {page.listen} does not answer: `homeostat up`?\n"


def test_wrong_settings_are_code_2(run, tmp_path):
    settings = tmp_path / "homeostat.yml"
    settings.write_text("exporter: {listen: nowhere}\n")

    result = run("--settings", settings)

    assert result.exit_code == 2
    assert "exporter.listen" in result.stderr
