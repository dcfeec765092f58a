"""Which of the workload's own probes are believed for a recovery, and what they say."""

import dataclasses

import pytest
from fakes.clock import FakeClock
from fakes.containers import container
from fakes.listeners import answering, listener

from homeostat.probes import ProbeContext
from homeostat.workloads import CommandOptions, Kind, ProbeRole, ProbeSpec, Workload
from responder.evidence import ProbeEvidence
from responder.targets import Target
from responder.verify import Quality

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SORRY = b"HTTP/1.1 503 Sorry\r\nContent-Length: 0\r\n\r\n"


class Resolved:
    """Always finds this."""

    def __init__(self, *probes, containers=()):
        self.target = Target(Workload("shop/web", Kind.CONTAINER, probes=probes), containers, "")

    async def resolve_or_problem(self, _episode, _settings):
        return self.target


async def read(*probes, containers=()):
    context = ProbeContext(None, FakeClock())
    readings = await ProbeEvidence(None, Resolved(*probes, containers=containers), None, context).read()
    return [(reading.source, reading.quality) for reading in readings]


def http(address, **more):
    return ProbeSpec("http", f"http://{address}/", 1.0, 1.0, **more)


@pytest.mark.parametrize(("answer", "quality"), [(OK, Quality.GOOD), (SORRY, Quality.BAD)])
async def test_a_liveness_probe_is_believed(answer, quality):
    async with listener(answering(answer)) as address:
        found = await read(http(address, given_name="front"))

    assert found == [("probe front", quality)]


async def test_a_readiness_probe_is_not_asked():
    """It may fail for a dependency's sake, and a restart that did its work would count as failed."""
    async with listener(answering(SORRY)) as address:
        ready = http(address, given_name="ready", role=ProbeRole.READINESS)
        async with listener(answering(OK)) as alive:
            found = await read(ready, http(alive, given_name="alive"))

    assert found == [("probe alive", Quality.GOOD)]


async def test_a_check_that_cannot_be_made_is_neither_good_nor_bad():
    gone = ProbeSpec("command", "gone", 1.0, 1.0, options=CommandOptions(("/nowhere/gone",)), given_name="gone")

    assert await read(gone) == [("probe gone", Quality.NO_DATA)]


async def test_each_container_is_asked_and_one_without_an_address_is_no_data():
    async with listener(answering(OK)) as address:
        host, port = address.split(":")
        spec = ProbeSpec("http", f":{port}/", 1.0, 1.0, given_name="front")
        found = await read(
            spec,
            containers=(
                container("web-1", addresses=(host,)),
                container("web-2", addresses=("127.0.0.2",)),
                container("web-3", addresses=()),
            ),
        )

    assert found == [("probe front", Quality.GOOD), ("probe front", Quality.BAD), ("probe front", Quality.NO_DATA)]


async def test_a_probe_with_a_host_is_asked_once_for_all_containers():
    async with listener(answering(OK)) as address:
        spec = http(address, given_name="front")
        found = await read(spec, containers=(container("web-1"), dataclasses.replace(container("web-2"), id="2")))

    assert found == [("probe front", Quality.GOOD)]
