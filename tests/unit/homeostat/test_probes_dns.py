"""DNS checks, against a name server of a few lines."""

import asyncio
import contextlib

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from homeostat.clock import SystemClock
from homeostat.probes import ProbeContext, run_probe
from homeostat.workloads import DnsOptions, ProbeSpec

ZONE = {
    ("db.example.", "A"): ["10.0.0.1", "10.0.0.2"],
    ("db.example.", "TXT"): ['"Hello World"'],
    ("www.example.", "CNAME"): ["DB.Example."],
    ("db.example.", "MX"): ["10 mail.example."],
    ("text.example.", "TXT"): ['"x"'],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from ZONE. ``rcode``: what it says instead."""

    def __init__(self, rcode=None):
        self.rcode = rcode
        self.asked = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        answer = dns.message.make_response(query)
        records = ZONE.get((name, kind), [])
        if records:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
        elif not any(known == name for known, _ in ZONE):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if self.rcode is not None:
            answer.set_rcode(self.rcode)
        self.transport.sendto(answer.to_wire(), peer)


@contextlib.asynccontextmanager
async def name_server(rcode=None):
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(rcode), local_addr=("127.0.0.1", 0))
    try:
        server.address = "{}:{}".format(*transport.get_extra_info("sockname"))
        yield server
    finally:
        transport.close()
        await asyncio.sleep(0)


@pytest.fixture
def context():
    return ProbeContext(None, SystemClock())


def spec(server, name="db.example", timeout_s=1.0, **options):
    return ProbeSpec("dns", name, 1.0, timeout_s, options=DnsOptions(server=server.address, **options))


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("db.example", {}, ""),
        ("db.example.", {}, ""),
        ("db.example", {"answer": "10.0.0.2"}, ""),
        ("db.example", {"answer": "10.0.0.3"}, "another answer"),
        ("db.example", {"record": "TXT", "answer": "hello world"}, ""),
        ("www.example", {"record": "CNAME", "answer": "db.example"}, ""),
        ("db.example", {"record": "MX", "answer": "10 mail.example."}, ""),
        ("db.example", {"record": "AAAA"}, "no such record"),
        ("nowhere.example", {}, "no such name"),
    ],
)
async def test_a_check_says_what_the_name_server_said(context, name, options, reason):
    async with name_server() as server:
        result = await run_probe(spec(server, name, **options), context)

    assert (result.ok, result.reason) == (not reason, reason)


async def test_a_name_that_cannot_be_says_nothing_of_the_server(context):
    async with name_server() as server:
        result = await run_probe(spec(server, "x" * 64 + ".example"), context)

    assert (result.ok, result.reason) == (None, "the target cannot be")


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_name_server_that_fails_is_bad(context, rcode):
    async with name_server(rcode) as server:
        result = await run_probe(spec(server), context)

    assert (result.ok, result.reason) == (False, "the name server failed")


async def test_each_check_asks_once_and_without_search_domains(context):
    async with name_server() as server:
        for _ in range(3):
            await run_probe(spec(server, "db"), context)

    assert server.asked == [("db.", "A")] * 3


async def test_without_a_server_the_systems_own_is_asked(context, monkeypatch):
    """The name server is the one of a resolv.conf that the test has written; its port cannot be given there."""
    import dns.resolver

    read = []
    monkeypatch.setattr(
        dns.resolver.BaseResolver,
        "read_resolv_conf",
        lambda self, path: read.append(path) or setattr(self, "_nameservers", ["127.0.0.77"]),
    )
    result = await run_probe(ProbeSpec("dns", "db.example", 1.0, 0.2, options=DnsOptions()), context)

    assert read == ["/etc/resolv.conf"]
    assert (result.ok, result.reason) == (False, "no answer within 0.2 s")
