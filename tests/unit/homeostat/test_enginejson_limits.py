"""What the engine tells of limits and of what there can be only one of on its host."""

import pytest

from homeostat import enginejson
from homeostat.containerinfo import EngineHost


def container(**host):
    return enginejson.container({"Id": "1", "Name": "/web", "State": {"Status": "running"}, "HostConfig": host})


def test_limits_of_swap_and_cores():
    found = container(Memory=64, MemorySwap=-1, NanoCpus=500_000_000)

    assert (found.memory_limit, found.memory_swap, found.nano_cpus) == (64, -1, 500_000_000)


def test_an_engine_that_tells_nothing_of_them():
    found = container()

    assert (found.memory_swap, found.nano_cpus, found.host_ports) == (0, 0, ())


@pytest.mark.parametrize(
    ("told", "ports"),
    [
        ("8088", ("8088",)),
        ("0", ()),
        ("", ()),
        ("8000-8010", ()),  # one of them: there is room for others
        (8088, ()),
    ],
)
def test_only_a_port_that_is_fixed_is_the_containers_own(told, ports):
    bindings = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": told}], "9090/tcp": None, "1/udp": ["?"]}

    assert container(PortBindings=bindings).host_ports == ports


def test_what_the_machine_has():
    assert enginejson.engine_host({"MemTotal": 2**30, "NCPU": 4}) == EngineHost(2**30, 4)
    with pytest.raises(ValueError, match="does not say what the machine has"):
        enginejson.engine_host({"MemTotal": 2**30})
