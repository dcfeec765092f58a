"""A workload's name in PromQL and in Alertmanager's matchers is one text, whatever is in it: to a parser and to the
real servers.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import promql_parser
import pytest
from effort import examples
from fakes.stack import Site
from hostile import NASTY
from hypothesis import given
from hypothesis import strategies as st

from homeostat.alertmanager_api import AlertmanagerClient, PostedAlert, equals
from homeostat.prometheus_api import PrometheusClient
from responder.conditions import about
from responder.evidence import _NEWEST

#: What every text is that homeostat takes in.
texts = st.text(max_size=30) | st.sampled_from(NASTY)
EXPRESSIONS = (
    "up{workload=$workload}",
    'max(timestamp(up{workload=$workload,a="b"}) or x{workload!=$workload}) by (workload) > 0',
    'label_replace(up, "a", $workload, "b", "(.*)") unless on (workload) absent(y{workload=$workload})',
    'count_over_time(up{workload=$workload}[5m:10s] offset 1m) / 2 # $workload"',
)


def shape(node: object) -> object:
    """An expression without the texts in it."""
    match node:
        case promql_parser.StringLiteral():
            return "text"
        case promql_parser.VectorSelector():
            return node.name, [(each.name, str(each.op)) for each in node.matchers.matchers]
        case promql_parser.Expr():
            parts = {name: getattr(node, name) for name in dir(node) if not name.startswith("_")}
            return type(node).__name__, {name: shape(part) for name, part in parts.items() if not callable(part)}
        case list():
            return [shape(each) for each in node]
        case _:
            return re.sub(r" at 0x[0-9a-f]+", "", repr(node)) if not isinstance(node, str | int | float) else node


def texts_in(node: object) -> list[str]:
    """Every text in it, in order."""
    found: list[str] = []

    def visit(each: object) -> bool:
        match each:
            case promql_parser.StringLiteral():
                found.append(each.val)
            case promql_parser.VectorSelector():
                found.extend(matcher.value for matcher in each.matchers.matchers)
        return True

    promql_parser.walk(node, visit)
    return found


def parsed(expression: str, workload: str) -> tuple[object, list[str]]:
    node = promql_parser.parse(about(expression, workload))
    return shape(node), texts_in(node)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(texts)
@examples(150)
def test_no_workload_changes_what_is_asked(expression: str, workload: str):
    try:
        found, said = parsed(expression, workload)
    except ValueError:  # refused as a whole: nothing is asked
        assert max(workload) > "\uffff"
        return

    expected, placeholders = parsed(expression, "shop/web")
    assert found == expected
    assert said == [workload if text == "shop/web" else text for text in placeholders]


def test_shapes_tell_expressions_apart():
    shapes = [
        shape(promql_parser.parse(text)) for text in ("up", "up or up", 'up{a="b"}', 'up{c="b"}', "up > 1", "up > 2")
    ]

    assert all(shapes.count(each) == 1 for each in shapes)


@given(texts)
@examples(150)
def test_no_workload_changes_when_it_was_measured(workload: str):
    try:
        node = promql_parser.parse(about(_NEWEST, workload))
    except ValueError:
        assert max(workload) > "\uffff"
        return

    assert texts_in(node) == [workload] * 3


@given(texts)
@examples(150)
def test_no_value_ends_its_matcher(value: str):
    """As Alertmanager reads it: of what stands in quotes, a backslash speaks for the next character."""
    matcher = equals("workload", value)

    inside = re.fullmatch(r'workload="((?:[^"\\\n]|\\["\\n])*)"', matcher)
    assert inside is not None
    assert re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), inside[1]) == value


# --- The real servers


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with aiohttp.ClientSession() as session:
        yield Site(tmp_path / "site", session)


@pytest.mark.servers
async def test_prometheus_reads_the_very_name(site: Site, servers: dict[str, Path]):
    """Joined labels have the text between them: of two empty ones, the text alone."""
    expression = 'label_join(vector(1), "found", $workload, "a", "b")'
    names = [*(name for name in NASTY if name < "\U00010000"), *map(chr, range(1, 0x300)), "\x00", "\ufffd"]

    async with site.prometheus(servers["prometheus"], []):
        client = PrometheusClient(site.settings.responder.prometheus_url, site.session)
        for name in names:
            [sample] = await client.query(about(expression, name))

            assert sample.labels.get("found", "") == name


@pytest.mark.servers
async def test_alertmanager_finds_the_very_alert(site: Site, servers: dict[str, Path]):
    names = [name for name in NASTY if name]
    alerts = [PostedAlert({"alertname": "A", "workload": name}, {}, 1.0, 4e9) for name in names]

    async with site.alertmanager(servers["alertmanager"]):
        client = AlertmanagerClient(site.alertmanager_url, site.session)
        await client.post(alerts)
        await asyncio.sleep(0.1)
        for name in names:
            held = await client.held(equals("workload", name))

            assert [alert.labels["workload"] for alert in held] == [name]
