"""The Prometheus that `homeostat up` runs natively, asked over its API, and pages for it to scrape."""

from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web
from fakes.stack import Server, Site

from guardian.stack import stack_processes
from homeostat.quantities import host_port

PLAIN = {"Content-Type": "text/plain; version=0.0.4"}
Page = str | Callable[[], str] | web.HTTPException


@dataclass
class Pages:
    """What is served by path; a function is asked anew each time."""

    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)

    @asynccontextmanager
    async def on(self, listen: str):
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.*}", self._answer)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, *host_port(listen)).start()
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        page = self.pages.get(request.path, web.HTTPNotFound())
        if isinstance(page, web.HTTPException):
            raise page
        return web.Response(text=page() if callable(page) else page, headers=PLAIN)


@dataclass
class Prometheus(Server):
    """``site`` says where it listens."""

    site: Site | None = None

    async def api(self, path: str, **parameters: str) -> object:
        """``data`` of an answer of /api/v1."""
        assert self.site is not None
        url = f"http://{self.site.settings.stack.prometheus}/api/v1/{path}"
        async with aiohttp.ClientSession() as session, session.get(url, params=parameters) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def query(self, expression: str, **parameters: str) -> list[tuple[Mapping[str, str], object]]:
        """Labels with the value, or with the values of a range."""
        result = (await self.api("query", query=expression, **parameters))["result"]
        return [(each["metric"], float(each["value"][1]) if "value" in each else each["values"]) for each in result]


def prometheus(site: Site, change: Callable[[dict], None] = lambda config: None) -> Prometheus:
    """As the guardian starts it for ``site``, with a ``change`` of its rendered configuration."""
    command = stack_processes(site.settings, site.path)["prometheus"].command
    file = next(Path(word.partition("=")[2]) for word in command if word.startswith("--config.file="))
    config = yaml.safe_load(file.read_text())
    change(config)
    file.write_text(yaml.safe_dump(config))
    ready = f"http://{site.settings.stack.prometheus}/-/ready"
    return Prometheus(command, site.folder / "prometheus.log", ready, site=site)


def quickly(config: dict) -> None:
    """Every job and rule twice a second."""
    config["global"] |= {"scrape_interval": "500ms", "scrape_timeout": "400ms", "evaluation_interval": "500ms"}
    for job in config["scrape_configs"]:
        job |= {"scrape_interval": "500ms", "scrape_timeout": "400ms"}
