"""Files for TLS: what is refused, in which words; and what a listener with good ones serves, and to whom."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from fakes.certificates import Authority
from fakes.programs import needed

from homeostat import service, settings
from homeostat.errors import SettingsError
from homeostat.sections import Tls
from homeostat.tls import TlsListener, server_context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    needed("openssl")
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "other", "another authority")


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Callable[..., Tls]:
    """Tls with files of its own, which a test may spoil."""
    certificate, key = authority.issue("server")
    for source, name in ((certificate, "server.pem"), (key, "server.key"), (authority.certificate, "ca.pem")):
        shutil.copy(source, tmp_path / name)

    def make(**changes: object) -> Tls:
        values = {
            "listen": "127.0.0.1:9812",
            "cert_file": tmp_path / "server.pem",
            "key_file": tmp_path / "server.key",
            "client_ca_file": tmp_path / "ca.pem",
        }
        return Tls(**(values | changes))

    return make


# --- What is refused


def refusal(tls: Tls) -> str:
    """What the user reads, with the folder left out."""
    with pytest.raises(SettingsError) as caught:
        server_context(tls)
    [problem] = caught.value.problems
    return problem.replace(f"{tls.key_file.parent}/", "")


@pytest.mark.parametrize("key", ["cert_file", "key_file", "client_ca_file"])
def test_a_file_that_is_not_there_is_named(files: Callable[..., Tls], tmp_path: Path, key: str):
    assert refusal(files(**{key: tmp_path / "none"})) == f"responder.tls.{key}: none: No such file or directory"


def test_a_folder_is_not_taken_for_a_file(files: Callable[..., Tls], tmp_path: Path):
    (tmp_path / "folder").mkdir(mode=0o700)

    assert refusal(files(cert_file=tmp_path / "folder")).startswith("responder.tls.cert_file: folder: ")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602, 0o777])
def test_a_key_that_others_can_get_at_is_refused(files: Callable[..., Tls], mode: int):
    tls = files()
    tls.key_file.chmod(mode)

    assert refusal(tls) == (
        f"responder.tls.key_file: server.key: its mode {mode:04o} lets others in; allowed: 0600 or 0640 (chmod 600)"
    )


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_key_that_only_its_owner_and_group_read_is_taken(files: Callable[..., Tls], mode: int):
    tls = files()
    tls.key_file.chmod(mode)

    assert server_context(tls).verify_mode is ssl.CERT_REQUIRED


NO_KEY = "allowed: the certificate's own private key, in PEM, without a passphrase"
NO_CERTIFICATE = "no certificate can be read in it; allowed: PEM, -----BEGIN CERTIFICATE-----"


def test_a_key_of_another_certificate_is_refused(files: Callable[..., Tls], other: Authority):
    tls = files()
    shutil.copy(other.issue("server")[1], tls.key_file)

    assert refusal(tls) == f"responder.tls.key_file: server.key: is not the key of cert_file; {NO_KEY}"


@pytest.mark.parametrize("content", [b"", b"no PEM", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_refused_and_not_repeated(files: Callable[..., Tls], content: bytes):
    tls = files()
    tls.key_file.write_bytes(content)

    assert refusal(tls) == f"responder.tls.key_file: server.key: no key can be read in it; {NO_KEY}"


def test_a_key_with_a_passphrase_is_refused_rather_than_asked_for(files: Callable[..., Tls]):
    tls = files()
    command = ["openssl", "pkcs8", "-topk8", "-in", str(tls.key_file), "-out", "locked.key", "-passout", "pass:secret"]
    subprocess.run(command, cwd=tls.key_file.parent, check=True, capture_output=True)
    (tls.key_file.parent / "locked.key").chmod(0o600)

    assert refusal(files(key_file=tls.key_file.parent / "locked.key")) == (
        f"responder.tls.key_file: locked.key: no key can be read in it; {NO_KEY}"
    )


@pytest.mark.parametrize("key", ["cert_file", "client_ca_file"])
@pytest.mark.parametrize("content", [b"", b"no PEM", b"\xff\x00"])
def test_a_file_without_a_certificate_is_refused(files: Callable[..., Tls], tmp_path: Path, key: str, content: bytes):
    (tmp_path / "spoilt.pem").write_bytes(content)

    assert refusal(files(**{key: tmp_path / "spoilt.pem"})) == f"responder.tls.{key}: spoilt.pem: {NO_CERTIFICATE}"


# --- Settings


def load(folder: Path, tls: str) -> settings.Settings:
    (folder / "homeostat.yml").write_text(f"responder: {{tls: {tls}}}")
    return settings.load(folder / "homeostat.yml", {})


def test_files_are_relative_to_the_settings_file(tmp_path: Path):
    loaded = load(tmp_path, "{listen: '127.0.0.1:9812', cert_file: tls/a.pem, key_file: tls/a.key}")

    assert loaded.responder.tls == Tls(
        listen="127.0.0.1:9812", cert_file=tmp_path / "tls/a.pem", key_file=tmp_path / "tls/a.key"
    )


def test_without_the_section_there_is_no_tls(tmp_path: Path):
    (tmp_path / "homeostat.yml").write_text("")

    assert settings.load(tmp_path / "homeostat.yml", {}).responder.tls is None


def test_another_address_than_loopback_needs_expose_which_leaves_the_plain_port_alone(tmp_path: Path):
    files = "cert_file: a.pem, key_file: a.key"
    with pytest.raises(
        SettingsError, match=r"responder\.tls\.listen: '0\.0\.0\.0:9812': is not loopback.*expose: true"
    ):
        load(tmp_path, f"{{listen: '0.0.0.0:9812', {files}}}")

    assert load(tmp_path, f"{{listen: '0.0.0.0:9812', expose: true, {files}}}").responder.expose is False


def test_certificate_and_key_go_together(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"responder\.tls\.key_file: required"):
        load(tmp_path, "{listen: '127.0.0.1:9812', cert_file: a.pem}")


# --- The listener


@contextlib.asynccontextmanager
async def served(tls: Tls, plain: str, tasks: list[str] | None = None) -> AsyncIterator[web.Application]:
    app = web.Application()

    async def say(request: web.Request) -> web.Response:
        if tasks is not None:
            tasks.append(request.path)
            await asyncio.sleep(0.3)
        return web.Response(text=f"{request.scheme} {request.path}")

    app.add_routes([web.post("/open", say), web.get("/inner", say), web.get("/inner/{name}", say)])
    async with service.listening(app, plain, TlsListener(tls, ["/open"])):
        yield app


@pytest.fixture
def tls(files: Callable[..., Tls], free_port: Callable[[], int]) -> Tls:
    return files(listen=f"127.0.0.1:{free_port()}")


@pytest.fixture
def plain(free_port: Callable[[], int]) -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def known(authority: Authority) -> ssl.SSLContext:
    """A client that is let in."""
    return authority.client(*authority.issue("client", "clientAuth"))


async def ask(
    address: str, context: ssl.SSLContext | None, path: str = "/open", method: str = "POST"
) -> tuple[int, str]:
    scheme = "https" if context else "http"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context or True)) as session,
        session.request(method, f"{scheme}://{address}{path}", timeout=aiohttp.ClientTimeout(5)) as response,
    ):
        return response.status, await response.text()


async def test_by_tls_only_what_is_meant_for_others_is_served(tls: Tls, plain: str, known: ssl.SSLContext):
    async with served(tls, plain):
        assert await ask(tls.listen, known) == (200, "https /open")
        for path in ("/inner", "/inner/x", "/open/../inner", "/%69nner", "/none"):
            assert (await ask(tls.listen, known, path, "GET"))[0] == 404, path

        assert await ask(plain, None, "/inner", "GET") == (200, "http /inner")
        assert await ask(plain, None) == (200, "http /open")


async def test_nobody_is_let_in_without_a_certificate_of_the_right_authority(
    tls: Tls, plain: str, authority: Authority, other: Authority, known: ssl.SSLContext
):
    strange = authority.client(*other.issue("client", "clientAuth"))
    misused = authority.client(*authority.issue("misused", "serverAuth"))
    async with served(tls, plain):
        for context in (authority.client(), strange, misused):
            with pytest.raises(aiohttp.ClientError):
                await ask(tls.listen, context)
        with pytest.raises(aiohttp.ClientError):
            await ask(tls.listen, None)

        assert (await ask(tls.listen, known))[0] == 200


async def test_without_an_authority_for_clients_anyone_may_knock(files, tls: Tls, plain: str, authority: Authority):
    async with served(files(listen=tls.listen, client_ca_file=None), plain):
        assert (await ask(tls.listen, authority.client()))[0] == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_older_versions_of_tls_are_refused(tls: Tls, plain: str, known: ssl.SSLContext, version: ssl.TLSVersion):
    known.set_ciphers("ALL:@SECLEVEL=0")
    known.minimum_version = known.maximum_version = version
    async with served(tls, plain):
        if version >= ssl.TLSVersion.TLSv1_2:
            assert (await ask(tls.listen, known))[0] == 200
            return

        with pytest.raises(aiohttp.ClientError):
            await ask(tls.listen, known)


async def serial(address: str, context: ssl.SSLContext) -> str:
    host, port = address.split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    found = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    return found


async def test_a_new_certificate_is_shown_after_a_reload_and_nobody_is_turned_away_meanwhile(
    tls: Tls, plain: str, authority: Authority, known: ssl.SSLContext
):
    async with served(tls, plain) as app:
        before = await serial(tls.listen, known)
        for source, target in zip(authority.issue("next"), (tls.cert_file, tls.key_file), strict=True):
            shutil.copy(source, target)
        assert await serial(tls.listen, known) == before

        *answers, _ = await asyncio.gather(*(ask(tls.listen, known) for _ in range(20)), service.reload_tls(app))

        assert answers == [(200, "https /open")] * 20
        assert await serial(tls.listen, known) != before


async def test_reloads_at_once_leave_one_listener(tls: Tls, plain: str, known: ssl.SSLContext):
    async with served(tls, plain) as app:
        await asyncio.gather(*(service.reload_tls(app) for _ in range(5)))

        assert (await ask(tls.listen, known))[0] == 200
    with pytest.raises(aiohttp.ClientError):
        await ask(tls.listen, known)


async def test_after_a_reload_an_authority_that_was_taken_away_is_no_longer_believed(
    tls: Tls, plain: str, authority: Authority, other: Authority, known: ssl.SSLContext
):
    """Not even on a connection that is open already."""
    async with served(tls, plain) as app, aiohttp.ClientSession() as session:
        url = f"https://{tls.listen}/open"
        async with session.post(url, ssl=known) as response:
            assert response.status == 200
        shutil.copy(other.certificate, tls.client_ca_file)
        await service.reload_tls(app)

        with pytest.raises(aiohttp.ClientError):
            await session.post(url, ssl=known)
        with pytest.raises(aiohttp.ClientError):
            await ask(tls.listen, known)
        assert (await ask(tls.listen, authority.client(*other.issue("client", "clientAuth"))))[0] == 200


async def test_a_request_under_way_is_answered_over_a_reload(tls: Tls, plain: str, known: ssl.SSLContext):
    begun: list[str] = []
    async with served(tls, plain, begun) as app:
        answer = asyncio.create_task(ask(tls.listen, known))
        while not begun:
            await asyncio.sleep(0.01)
        await service.reload_tls(app)

        assert await answer == (200, "https /open")


async def test_a_reload_of_bad_files_changes_nothing(tls: Tls, plain: str, known: ssl.SSLContext):
    async with served(tls, plain) as app:
        tls.key_file.chmod(0o644)
        with pytest.raises(SettingsError, match="its mode 0644"):
            await service.reload_tls(app)

        assert (await ask(tls.listen, known))[0] == 200


async def test_where_there_is_no_tls_there_is_nothing_to_reload(plain: str):
    app = web.Application()
    async with service.listening(app, plain):
        await service.reload_tls(app)


async def test_an_address_in_use_is_told_with_its_key(tls: Tls, plain: str, files: Callable[..., Tls]):
    app = web.Application()
    with pytest.raises(service.InUse, match=rf"cannot listen on {plain}: .*change `tls\.listen`"):
        async with service.listening(app, plain, TlsListener(files(listen=plain), ["/open"])):
            pytest.fail("not reached")


async def test_who_says_nothing_is_parted_from(tls: Tls, plain: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("homeostat.tls._HANDSHAKE_S", 0.2)
    async with served(tls, plain):
        reader, writer = await asyncio.open_connection(*tls.listen.split(":"))
        async with asyncio.timeout(3):
            assert await reader.read() == b""
        writer.close()
