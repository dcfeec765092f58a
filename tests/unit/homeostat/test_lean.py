"""A service that left something out of its memory can still do all that it could."""

import asyncio
import shutil
import ssl
import subprocess
import sys

import pytest
from fakes.listeners import answering, listener

#: Prints what was read of authorities before the first connection and after, and the answer or error.
CLIENT = """
import asyncio, gc, ssl, sys
from homeostat.lean import start_lean
start_lean()
import aiohttp, structlog
def authorities():
    return max(c.cert_store_stats()["x509"] for c in gc.get_objects() if isinstance(c, ssl.SSLContext))
async def main():
    before = authorities()
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            try:
                async with session.get(sys.argv[1]) as response:
                    answer = await response.text()
            except aiohttp.ClientConnectorCertificateError:
                answer = "refused"
    print(before, authorities(), answer, sys.modules["rich"])
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """(a server's context, the authority that signed for it)"""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem",
         "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context, folder / "ca.pem"


async def ask(tls: ssl.SSLContext, **environ: str) -> str:
    async with listener(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), ssl=tls) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, f"https://{address}/", env=environ, stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
    return out.decode().strip()


async def test_the_systems_authorities_are_read_with_the_first_connection_and_believed(tls):
    context, authority = tls

    assert await ask(context, SSL_CERT_FILE=str(authority), SSL_CERT_DIR="/nowhere") == "0 1 ok None"


async def test_who_is_not_one_of_them_is_refused(tls):
    context, _ = tls

    answer = await ask(context)

    assert answer.startswith("0 ")
    assert answer.endswith(" refused None")


def test_contexts_made_afterwards_are_as_ever():
    code = "import ssl; from homeostat.lean import start_lean; start_lean();"
    code += "context = ssl.create_default_context(); print('wrap_bio' in vars(context))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout == "False\n"
