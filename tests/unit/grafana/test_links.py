"""Every link leads to a dashboard that exists, with a variable that it has, or to a runbook that exists."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from boards import BOARDS, PANELS, ROOT, each_board

from grafana.lib import RUNBOOKS
from homeostat import names

FOLDER = ROOT / "docs/runbooks"
UIDS = {board["uid"]: {variable["name"] for variable in board["templating"]["list"]} for board in BOARDS.values()}


def links(panel):
    of_columns = [
        link
        for rule in panel["fieldConfig"].get("overrides", [])
        for part in rule["properties"]
        if part["id"] == "links"
        for link in part["value"]
    ]
    return [link["url"] for link in [*panel.get("links", []), *of_columns]]


def alerts():
    groups = [
        group
        for file in (ROOT / "prometheus/rules/alerts").glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    return {rule["alert"] for group in groups for rule in group["rules"]}


ALL = sorted({url for _, panel in PANELS for url in links(panel)})


@pytest.mark.parametrize("url", [url for url in ALL if url.startswith("/d/")])
def test_a_link_to_a_dashboard_resolves(url):
    where = urlsplit(url)
    uid = where.path.removeprefix("/d/")
    chosen = {name.removeprefix("var-") for name, _ in parse_qsl(where.query) if name.startswith("var-")}

    assert chosen <= UIDS[uid]
    assert "${__url_time_range}" in url


@pytest.mark.parametrize("url", [url for url in ALL if not url.startswith("/d/")])
def test_a_link_to_a_runbook_resolves(url):
    name = re.fullmatch(rf"{re.escape(RUNBOOKS)}/(.+)\.md", url)[1]
    wanted = alerts() - {names.ALERT_DEAD_MAN} if name == "${__value.raw}" else {name}

    assert {alert for alert in wanted if not (FOLDER / f"{alert}.md").is_file()} == set()


@each_board
def test_dashboards_find_each_other_by_their_tag(board):
    (link,) = board["links"]

    assert (link["type"], link["tags"], link["asDropdown"], link["keepTime"]) == (
        "dashboards",
        ["homeostat"],
        True,
        True,
    )
    assert board["tags"] == ["homeostat"]


def test_every_alert_is_explained_by_a_panel_that_links_its_runbook():
    linked = {url.removeprefix(f"{RUNBOOKS}/").removesuffix(".md") for url in ALL if url.startswith(RUNBOOKS)}

    assert alerts() - linked == set(), "name them in `runbooks` of the panel that shows what they are about"


def test_the_start_of_a_runbooks_address_is_that_of_the_rules():
    texts = [file.read_text() for file in (ROOT / "prometheus/rules/alerts").glob("*.yml")]

    assert texts
    assert all(f"runbook_url: {RUNBOOKS}/" in text for text in texts)
