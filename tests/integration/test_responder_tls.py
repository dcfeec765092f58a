"""The webhook by TLS, for an Alertmanager on another host: a real one delivers with its certificate, others do not."""

import asyncio
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web
from fakes.certificates import Authority
from fakes.programs import needed
from fakes.stack import TOKEN, Site, eventually, never, pick_port, wire_alert, wire_body

from homeostat import service, settings
from homeostat.clock import SystemClock
from homeostat.rendering import ROOT
from homeostat.tls import TlsListener
from responder.app import Live, create_app
from responder.stores import open_store
from responder.webhook import read_tokens

pytestmark = pytest.mark.servers

WEBHOOK = "/webhook/alertmanager"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    needed("openssl")
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(scope="module")
def client(authority: Authority) -> dict[str, str]:
    """What Alertmanager's tls_config needs to be let in."""
    certificate, key = authority.issue("alertmanager", "clientAuth")
    return {"ca_file": str(authority.certificate), "cert_file": str(certificate), "key_file": str(key)}


@pytest.fixture
async def site(tmp_path: Path, authority: Authority) -> AsyncIterator[Site]:
    certificate, key = authority.issue("responder")
    tls = {
        "listen": f"127.0.0.1:{pick_port()}",
        "cert_file": str(certificate),
        "key_file": str(key),
        "client_ca_file": str(authority.certificate),
    }
    # What arrives was delivered: nothing is found by comparing lists in so short a time.
    responder = {"tls": tls, "reconcile_interval": "1h"}
    async with aiohttp.ClientSession() as session:
        yield Site(tmp_path / "site", session, {"responder": responder})


@pytest.fixture
async def responder(site: Site) -> AsyncIterator[web.Application]:
    """With both of its addresses, as the process has them."""
    told = site.settings
    live = Live(site.path, told, read_tokens(told.responder.token_files))
    app = create_app(live, lambda: open_store(told), SystemClock())
    async with service.listening(app, told.responder.listen, TlsListener(told.responder.tls, [WEBHOOK])):
        yield app


def tls_address(site: Site) -> str:
    return site.settings.responder.tls.listen


@asynccontextmanager
async def alertmanager(
    site: Site, binary: Path, tls_config: dict[str, str], scheme: str = "https"
) -> AsyncIterator[None]:
    """A real one that delivers to the responder's second address."""
    server = site.alertmanager(binary)
    edit(site, tls_config, scheme)
    async with server:
        yield


def edit(site: Site, tls_config: dict[str, str], scheme: str) -> None:
    path = site.settings.state_dir / "run/alertmanager/alertmanager.yml"
    config = yaml.safe_load(path.read_text())
    [webhook] = next(each for each in config["receivers"] if each["name"] == "responder")["webhook_configs"]
    webhook["url"] = f"{scheme}://{tls_address(site)}{WEBHOOK}"
    webhook["http_config"]["tls_config"] = tls_config
    path.write_text(yaml.safe_dump(config))


async def has_arrived(site: Site) -> bool:
    return bool(await site.recoveries())


async def deliveries(site: Site) -> dict[str, float]:
    """Requests at the webhook, by status, other than none."""
    _, page = await site.get("/metrics")
    lines = [line for line in page.splitlines() if line.startswith("homeostat_webhook_requests_total{")]
    found = {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}
    return {status: count for status, count in found.items() if count}


async def failures(site: Site) -> float:
    """Requests that Alertmanager has made in vain."""
    async with site.session.get(f"{site.alertmanager_url}/metrics") as response:
        page = await response.text()
    name = 'alertmanager_notification_requests_failed_total{integration="webhook"}'
    return next(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(name))


async def test_an_alertmanager_with_a_certificate_and_the_token_delivers(
    site: Site, responder: web.Application, servers: dict[str, Path], client: dict[str, str]
):
    async with alertmanager(site, servers["alertmanager"], client):
        await site.fire()

        await eventually(lambda: has_arrived(site))

    assert await deliveries(site) == {"202": 1}


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> dict[str, str]:
    """The certificate of a client that another authority has signed."""
    certificate, key = Authority(tmp_path_factory.mktemp("tls") / "strange").issue("alertmanager", "clientAuth")
    return {"ca_file": str(authority.certificate), "cert_file": str(certificate), "key_file": str(key)}


@pytest.mark.parametrize("kind", ["none", "strange", "does not believe the responder", "plain http"])
async def test_without_the_right_certificate_nothing_is_delivered(
    site: Site,
    responder: web.Application,
    servers: dict[str, Path],
    client: dict[str, str],
    strange: dict[str, str],
    kind: str,
):
    tls_config, scheme = {
        "none": ({"ca_file": client["ca_file"]}, "https"),
        "strange": (strange, "https"),
        # The other way round: it must not tell its token to a server that it does not know.
        "does not believe the responder": (
            {**client, "ca_file": str(Path(strange["cert_file"]).parent / "ca.pem")},
            "https",
        ),
        "plain http": (client, "http"),
    }[kind]
    async with alertmanager(site, servers["alertmanager"], tls_config, scheme):
        await site.fire()

        await eventually(lambda: failures(site))
        await never(lambda: has_arrived(site), 0.5)

    assert await deliveries(site) == {}


async def test_a_certificate_does_not_stand_in_for_the_token(
    site: Site, responder: web.Application, servers: dict[str, Path], client: dict[str, str]
):
    async with alertmanager(site, servers["alertmanager"], client):
        (site.folder / "secrets/webhook-token").write_text("a-token-that-nobody-knows-0123456789")
        await site.fire()

        async def is_turned_away() -> bool:
            return bool((await deliveries(site)).get("401"))

        await eventually(is_turned_away)

    assert set(await deliveries(site)) == {"401"}
    assert not await has_arrived(site)


async def ask(site: Site, client: dict[str, str], method: str, path: str, token: str = TOKEN) -> int:
    context = ssl.create_default_context(cafile=client["ca_file"])
    context.load_cert_chain(client["cert_file"], client["key_file"])
    headers = {"Authorization": f"Bearer {token}"}
    url = f"https://{tls_address(site)}{path}"
    data = wire_body(wire_alert()) if method == "POST" else None
    async with site.session.request(method, url, data=data, headers=headers, ssl=context) as response:
        return response.status


async def test_nothing_but_the_webhook_is_there(site: Site, responder: web.Application, client: dict[str, str]):
    """Every route that the responder has, now and later."""
    routes = {(route.method, route.resource.canonical) for route in responder.router.routes() if route.resource}
    assert len(routes) > 8
    for method, path in sorted(routes - {("POST", WEBHOOK)}):
        if method != "HEAD":
            assert await ask(site, client, method, path.replace("{id}", "1")) in (404, 405), path

    assert await ask(site, client, "POST", WEBHOOK) == 202
    assert await ask(site, client, "POST", WEBHOOK, "wrong-token-0123456789") == 401


async def test_everything_local_stays_where_it_was_without_tls(site: Site, responder: web.Application):
    assert (await site.get("/-/ready"))[0] == 200
    assert await site.deliver(wire_alert()) == 202
    status, text = await site.get("/api/v1/episodes")
    assert (status, len(json.loads(text))) == (200, 1)


async def test_a_client_that_never_begins_holds_nobody_up(
    site: Site, responder: web.Application, client: dict[str, str]
):
    host, port = tls_address(site).split(":")
    silent = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
    try:
        async with asyncio.timeout(2):
            assert await ask(site, client, "POST", WEBHOOK) == 202
    finally:
        for _, writer in silent:
            writer.close()


# --- What docs/security.md says to write


def blocks() -> list[dict[str, object]]:
    page = (ROOT / "docs/security.md").read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]


def secrets(folder: Path, client: dict[str, str], *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        shutil.copy(client["key_file" if name.endswith(".key") else "cert_file"], folder / name)


def test_the_page_s_settings_are_accepted(tmp_path: Path, client: dict[str, str]):
    [found] = [block for block in blocks() if "responder" in block]
    (tmp_path / "homeostat.yml").write_text(yaml.safe_dump(found))
    secrets(tmp_path / "alertmanager/secrets", client, "responder.pem", "responder.key", "clients.pem")

    listener = TlsListener(settings.load(tmp_path / "homeostat.yml", {}).responder.tls, [WEBHOOK])

    assert listener.listen == "0.0.0.0:9812"


def test_the_page_s_receiver_is_accepted_by_alertmanager_s_own_tool(
    tmp_path: Path, servers: dict[str, Path], client: dict[str, str]
):
    [found] = [block for block in blocks() if "receivers" in block]
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump({"route": {"receiver": "responder"}, **found}))
    secrets(tmp_path / "secrets", client, "alertmanager.pem", "alertmanager.key", "responder-ca.pem", "webhook-token")

    checked = subprocess.run(
        [servers["amtool"], "check-config", tmp_path / "alertmanager.yml"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
