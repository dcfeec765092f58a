"""HTTPS: whose certificates are believed, and until when they hold."""

import asyncio
import contextlib
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from fakes.listeners import answering, listener, never

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, open_probe, run_probe
from homeostat.probes.model import HttpMeasured
from homeostat.workloads import HttpOptions, ProbeSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DAY_S = 86400


class Authority:
    """Signs certificates, with the ``openssl`` of the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.certificate = folder / "ca.pem"
        self._run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                  "-subj", "/CN=test authority", "-days", "10")  # fmt: skip

    def server(self, name: str, days: int = 5) -> ssl.SSLContext:
        """A server's context, with a certificate for ``name`` (an IP address) that ends in ``days``."""
        (self.folder / "names").write_text(f"subjectAltName=IP:{name}\n")
        self._run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr",
                  "-subj", "/CN=server")  # fmt: skip
        self._run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                  "-out", "server.pem", "-extfile", "names", "-days", str(days))  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context

    def _run(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    return Authority(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture
def context():
    return ProbeContext(None, SystemClock())


def https(address, ca_file=None, **options):
    return ProbeSpec("http", f"https://{address}/", 1.0, 2.0, options=HttpOptions(ca_file=ca_file, **options))


async def test_a_certificate_of_the_own_authority_is_believed_and_its_end_is_told(authority, context):
    async with listener(answering(OK), ssl=authority.server("127.0.0.1")) as address:
        result = await run_probe(https(address, authority.certificate, body="^ok$"), context)

    assert (result.ok, result.reason) == (True, "")
    assert isinstance(result.measured, HttpMeasured)
    assert result.measured.tls_expires_at == pytest.approx(time.time() + 5 * DAY_S, abs=60)
    assert list(result.measured.phases) == ["resolve", "connect", "tls", "processing", "transfer"]
    assert result.measured.phases["tls"] > 0


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"name": "127.0.0.1", "days": -1}, "TLS certificate: certificate has expired"),
        ({"name": "127.0.0.9"}, "TLS certificate: issued for another address"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_refused(authority, context, server, reason):
    async with listener(answering(OK), ssl=authority.server(**server)) as address:
        result = await run_probe(https(address, authority.certificate), context)

    assert (result.ok, result.reason) == (False, reason)


async def test_an_unknown_authority_is_refused_with_or_without_an_own_one(authority, context, tmp_path):
    other = Authority(tmp_path / "other")
    async with listener(answering(OK), ssl=other.server("127.0.0.1")) as address:
        results = [await run_probe(https(address, ca), context) for ca in (None, authority.certificate)]

    reason = "TLS certificate: unable to get local issuer certificate"
    assert [(result.ok, result.reason) for result in results] == [(False, reason)] * 2


async def test_an_exchanged_authority_is_believed_from_the_next_check_on(authority, context, tmp_path):
    other = Authority(tmp_path / "other")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(other.certificate.read_bytes())
    async with listener(answering(OK), ssl=authority.server("127.0.0.1")) as address:
        probe = open_probe(https(address, ca_file), context)
        before = await probe.check()
        ca_file.write_bytes(authority.certificate.read_bytes())
        after = [await probe.check() for _ in range(2)]

    assert before.ok is False
    assert after[1].ok


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_missing_or_empty_authority_says_nothing_of_the_target(context, tmp_path, content):
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    async with listener(never) as address:
        result = await run_probe(https(address, ca_file), context)

    assert (result.ok, result.reason) == (None, "the file of certificate authorities cannot be read")


async def test_a_server_without_tls_is_bad(context):
    async def serve(reader, writer):
        await reader.read(100)
        writer.write(OK)

    async with listener(serve) as address:
        result = await run_probe(https(address), context)

    assert (result.ok, result.reason) == (False, "TLS handshake failed")


async def test_a_server_that_leaves_in_the_handshake_is_bad(context):
    async def serve(reader, _writer):
        await reader.read(100)

    async with listener(serve) as address:
        result = await run_probe(https(address), context)

    assert (result.ok, result.reason) == (False, "TLS handshake failed")


async def test_a_server_that_closes_without_a_goodbye_has_still_answered(authority, context):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nok")
        await writer.drain()
        await asyncio.sleep(0.05)
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.shutdown(2)

    async with listener(serve, ssl=authority.server("127.0.0.1")) as address:
        result = await run_probe(https(address, authority.certificate, body="ok"), context)

    assert (result.ok, result.reason) == (True, "")
