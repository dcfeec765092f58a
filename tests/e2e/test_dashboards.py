"""Every query of every dashboard returns data from a homeostat that watches a shop under load, after a repair."""

import pytest
from rich.console import Console
from rich.table import Table

from grafana.dashboards import DASHBOARDS
from grafana.lib.views import MINUTE_S
from grafana.preview.answers import Source
from grafana.preview.filling import Window

pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.servers, pytest.mark.timeout(300)]

_WORKLOAD = "homeostat-workload"
_CONTAINERS = "homeostat-containers"
_DEPENDENCIES = "homeostat-dependencies"
_LEAKS = "homeostat-leaks"
_HOST = "homeostat-host"

_NO_PROCESSES = "the shop runs in containers; nothing of it is a supervised process"
_NOTHING_GROWS = "nothing leaks in a minute"
_NOTHING_WRONG = "nothing of this kind went wrong"
_TCP_PROBES = "the shop's databases have TCP probes here: these need one of kind redis or postgres"
_KERNEL = "the kernel, or its cgroup version, may not tell"
#: (dashboard, panel) or (dashboard, panel, query from A) -> why it may have nothing to show here.
MAY_BE_EMPTY = {
    (_WORKLOAD, "State", "B"): _NO_PROCESSES,
    (_WORKLOAD, "Memory", "B"): _NO_PROCESSES,
    (_WORKLOAD, "Memory", "D"): _NO_PROCESSES,
    (_WORKLOAD, "CPU", "B"): _NO_PROCESSES,
    (_WORKLOAD, "Open files of the limit", "B"): _NO_PROCESSES,
    (_WORKLOAD, "Restarts"): "the responder restarted it, not Docker",
    (_WORKLOAD, "OOM kills"): _NOTHING_WRONG,
    (_WORKLOAD, "Recoveries"): "a recovery may be over between two scrapes of the responder",
    ("homeostat-overview", "Recoveries under way"): "a recovery may be over between two scrapes of the responder",
    ("homeostat-overview", "Workloads", "I"): "the month's availability is made every four minutes",
    ("homeostat-overview", "Workloads", "J"): "nothing is promised of the shop",
    ("homeostat-overview", "Workloads", "K"): "nothing is promised of the shop",
    ("homeostat-overview", "Workloads", "L"): "all is well again",
    ("homeostat-overview", "Pace of error budgets"): "nothing is promised of the shop",
    ("homeostat-recoveries", "Recoveries under way"): "a recovery may be over between two scrapes of the responder",
    ("homeostat-recoveries", "Refusals"): _NOTHING_WRONG,
    ("homeostat-alerting", "Escalation tested"): "nobody has tested it",
    ("homeostat-alerting", "Alerts now"): "all is well again",
    ("homeostat-alerting", "Notifications", "B"): _NOTHING_WRONG,
    (_DEPENDENCIES, "Why"): "all is well again",
    **{
        (_DEPENDENCIES, title): _TCP_PROBES
        for title in (
            "Fullest pool",
            "Lock waits",
            "Replicas cut off",
            "Connections",
            "Idle in transaction",
            "Waits for locks",
            "Clients",
            "Memory of Redis",
            "Evicted and rejected",
            "Replication",
            "Behind",
        )
    },
    (_DEPENDENCIES, "Certificates end in"): "the shop is probed without TLS",
    (_CONTAINERS, "Limits met and OOM kills"): _NOTHING_WRONG,
    (_CONTAINERS, "Throttled"): "the shop's containers have no CPU limit",
    (_CONTAINERS, "Waiting for memory"): _KERNEL,
    **{
        (_LEAKS, title): _NOTHING_GROWS
        for title in (
            "Used up in",
            "What grows",
            "Memory in a day, against the limit",
            "Time left",
            "Memory per second",
            "Open files per hour",
            "Threads per hour",
            "Connections per hour",
            "How sure",
        )
    },
    ("homeostat-config", "Old in containers"): "the only managed file is homeostat.yml, which no container reads",
    ("homeostat-config", "To be deployed"): "the only managed file is homeostat.yml, which no container reads",
    ("homeostat-config", "Outdated readers"): "the only managed file is homeostat.yml, which no workload reads",
    ("homeostat-config", "Readers"): "the only managed file is homeostat.yml, which no workload reads",
    ("homeostat-config", "Violations"): _NOTHING_WRONG,
    (_HOST, "Swap"): "the host may have none",
    (_HOST, "Waiting for a resource"): _KERNEL,
    (_HOST, "Stalled for a resource"): _KERNEL,
    (_HOST, "Inodes"): "some file systems do not count them",
    (_HOST, "Tracked connections"): "the firewall may track none",
    (_HOST, "Disk latency"): "nothing may be read or written in a minute",
    (_HOST, "CPU of groups"): "homeostat.yml names no groups here",
    (_HOST, "Memory of groups"): "homeostat.yml names no groups here",
    (_HOST, "Processes of groups"): "homeostat.yml names no groups here",
    ("homeostat-itself", "Restarts by the guardian"): _NOTHING_WRONG,
}
_MINUTES_SHOWN = 15
_WITHIN_S = 90.0


def letters(count):
    return [chr(ord("A") + index) for index in range(count)]


async def bars_now(source, view, query, window):
    """A minute's bar is drawn when the minute is over: what it would be now is not waited for."""
    return len((await source.now(query, window, MINUTE_S)).series) if getattr(view, "has_bars", False) else 0


async def counts(scene, chosen):
    """(dashboard, panel) -> series of each of its queries; dashboard -> series of its repairs."""
    now = scene.clock.now()
    source = Source(scene.stack.settings.responder.prometheus_url, scene.follower.session)
    panels, events = {}, {}
    for dashboard in DASHBOARDS:
        window = Window(now - 60 * _MINUTES_SHOWN, now, chosen if dashboard.uid == _WORKLOAD else {})
        answers = await source.answers(dashboard, window)
        for panel, found in zip(dashboard.panels, answers.panels, strict=True):
            panels[dashboard.uid.value, panel.title] = [
                len(answer.series) or await bars_now(source, panel.view, answer.query, answers.window)
                for answer in found
            ]
        repairs = next(answer for event, answer in answers.events if event.name == "Repairs")
        # As with bars: the minute of the repair may not be over.
        now_too = await source.now(repairs.query, answers.window, MINUTE_S)
        events[dashboard.uid] = len(repairs.series) or len(now_too.series)
    return panels, events


def empty(panels):
    """Queries without data that should have some."""
    return {
        (uid, title, letter)
        for (uid, title), found in panels.items()
        for letter, count in zip(letters(len(found)), found, strict=True)
        if count == 0 and (uid, title) not in MAY_BE_EMPTY
    } - MAY_BE_EMPTY.keys()


def show(panels):
    table = Table("dashboard", "panel", "series of each query", "why it may be empty")
    for (uid, title), found in panels.items():
        reasons = {MAY_BE_EMPTY.get((uid, title, letter)) for letter in letters(len(found))} - {None}
        table.add_row(uid, title, " ".join(map(str, found)), MAY_BE_EMPTY.get((uid, title)) or "; ".join(reasons))
    Console(width=180).print(table)


async def test_every_query_has_data_when_a_shop_under_load_was_repaired(scene, shop):
    timeline, _ = await scene.play("crash", lambda _timeline: None)
    assert timeline.is_verified, timeline

    # A rate needs two scrapes of 15 s; the slowest recording rules are made once a minute.
    deadline = scene.clock.now() + _WITHIN_S
    panels, events = await counts(scene, {"workload": shop.workload})
    while (empty(panels) or not all(events.values())) and scene.clock.now() < deadline:
        await scene.clock.sleep(5)
        panels, events = await counts(scene, {"workload": shop.workload})

    show(panels)
    assert empty(panels) == set()
    assert all(events.values()), events


def test_what_may_be_empty_is_a_panel_that_exists():
    there = {(dashboard.uid.value, panel.title) for dashboard in DASHBOARDS for panel in dashboard.panels}

    assert {key[:2] for key in MAY_BE_EMPTY} <= there
