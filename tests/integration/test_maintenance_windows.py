"""The windows of homeostat.yml in the routes that are rendered: amtool reads them, and Alertmanager keeps to them."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from fakes.stack import Server, Site, eventually, pick_port

from homeostat.quantities import host_port
from homeostat.rendering import ROOT, render

pytestmark = pytest.mark.servers

ROUTES = yaml.safe_load((ROOT / "alertmanager/tests/routes.yml").read_text())
WINDOWS = [
    {"workloads": ["shop/*", "file/a.b"], "start": "22:00", "end": "02:00", "weekdays": ["sat"]},
    {"workloads": ["shop/web"], "start": "12:00", "end": "13:00", "timezone": "Europe/Berlin"},
    {"workloads": ["*"], "start": "23:00", "end": "00:00", "timezone": "America/St_Johns"},
]


@dataclass
class Receiver:
    """Counts the alerts that people get, by workload."""

    url: str = ""
    firing: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        alerts = (await request.json())["alerts"]
        self.firing += [alert["labels"].get("workload", "") for alert in alerts if alert["status"] == "firing"]
        return web.Response()


@pytest.fixture
async def people() -> AsyncIterator[Receiver]:
    listen = f"127.0.0.1:{pick_port()}"
    found = Receiver(f"http://{listen}/")
    app = web.Application()
    app.add_routes([web.post("/", found.take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, *host_port(listen)).start()
    yield found
    await runner.cleanup()


def rendered(site: Site) -> Path:
    return render(site.settings, str(site.folder / "secrets"), with_guardian=False).alertmanager / "alertmanager.yml"


def amtool(servers: Mapping[str, Path], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [servers["amtool"], *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


# --- What is rendered


def test_windows_are_valid_for_alertmanager(make_site: Callable[..., Site], servers: Mapping[str, Path]):
    config = rendered(make_site(responder={"maintenance": WINDOWS}))

    result = amtool(servers, "check-config", config)

    assert result.returncode == 0, result.stdout + result.stderr
    assert len(yaml.safe_load(config.read_text())["time_intervals"]) == 3


@pytest.mark.parametrize("workload", ["shop/web", "shop/db", "file/a.b", "other/api", ""])
def test_with_windows_every_alert_reaches_whom_it_reached_before(
    make_site: Callable[..., Site], servers: Mapping[str, Path], workload: str
):
    config = rendered(make_site(responder={"maintenance": WINDOWS}))

    wrong = []
    for case in ROUTES:
        labels = [f'{name}="{value}"' for name, value in ({**case["labels"], "workload": workload}).items()]
        expected = f"--verify.receivers={case['receiver']}"
        result = amtool(servers, "config", "routes", "test", f"--config.file={config}", expected, *labels)
        if result.returncode != 0:
            wrong.append((case["name"], result.stdout, result.stderr))

    assert wrong == []


# --- What Alertmanager makes of it


def clock(moment: datetime) -> str:
    return moment.strftime("%H:%M")


def windows_around(now: datetime) -> list[dict[str, object]]:
    """On now: of shop/on by UTC, of shop/night past midnight, of zone/* elsewhere. Not on: of shop/off."""
    hour = timedelta(hours=1)
    tokyo = now + 9 * hour
    today, yesterday = (moment.strftime("%a").lower() for moment in (now, now - 24 * hour))
    return [
        {"workloads": ["shop/on"], "start": clock(now - hour), "end": clock(now + hour)},
        # All but an hour of two days: in it, whether now is before or after midnight.
        {
            "workloads": ["shop/night"],
            "start": clock(now + 2 * hour),
            "end": clock(now + hour),
            "weekdays": [today, yesterday],
        },
        {
            "workloads": ["zone/*"],
            "start": clock(tokyo - hour),
            "end": clock(tokyo + hour),
            "timezone": "Asia/Tokyo",
        },
        {"workloads": ["shop/off"], "start": clock(now + 2 * hour), "end": clock(now + 3 * hour)},
        {"workloads": ["zone/off"], "start": clock(now + 2 * hour), "end": clock(now + 3 * hour)},
    ]


def hurried(route: dict[str, object]) -> None:
    """The same routes without their waits."""
    route |= {"group_wait": "0s", "group_interval": "1s"}
    for child in route.get("routes", []):
        hurried(child)


@asynccontextmanager
async def alertmanager(site: Site, binary: Path, people: Receiver) -> AsyncIterator[None]:
    server: Server = site.alertmanager(binary)
    path = rendered(site)
    config = yaml.safe_load(path.read_text())
    hurried(config["route"])
    next(each for each in config["receivers"] if each["name"] == "people")["webhook_configs"] = [{"url": people.url}]
    path.write_text(yaml.safe_dump(config))
    async with server:
        yield


async def test_people_hear_nothing_in_a_window_and_the_responder_hears_all(
    make_site: Callable[..., Site], servers: Mapping[str, Path], people: Receiver
):
    site = make_site(
        responder={"maintenance": windows_around(datetime.fromtimestamp(time.time(), UTC))},
        processes={"on": {"command": ["on"]}},
        workloads={"local/on": {"enable": True}},
    )
    silent, told = ["shop/on", "shop/night", "zone/api"], ["shop/off", "other/api", ""]
    async with site.responder(), alertmanager(site, servers["alertmanager"], people):
        for workload in silent:
            for severity in ("warning", "critical", "info"):
                await site.fire(workload=workload, remedy="", severity=severity)
            await site.fire(workload=workload, alertname="HomeostatEscalation", remedy="", severity="critical")
            await site.fire(workload=workload)
        for workload in told:
            await site.fire(workload=workload, remedy="", severity="warning")

        async def all_told() -> bool:
            return set(told) <= set(people.firing)

        async def all_repaired() -> bool:
            return {each["workload"] for each in await site.recoveries()} >= set(silent)

        await eventually(all_told)
        await eventually(all_repaired)
        await asyncio.sleep(1.5)  # one more interval of every group

    assert sorted(set(people.firing)) == sorted(told)
