"""This machine, beside what psutil says of it."""

import sys

import psutil
import pytest

from exporters.host.linux import LinuxHost
from exporters.host.portable import PsutilHost
from exporters.host.source import HostSource, system_reader
from homeostat import platforms

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

#: Others work on this machine while it is looked at twice.
MEMORY = {"rel": 0.1, "abs": 256 * 2**20}


@pytest.fixture
def ours():
    return LinuxHost().read()


def test_processor_time_is_psutils(ours):
    theirs = psutil.cpu_times()

    for mode, seconds in ours.cpu_seconds.items():
        assert seconds == pytest.approx(getattr(theirs, mode), abs=5), mode
    assert ours.numbers.cpus == psutil.cpu_count()


def test_memory_is_psutils(ours):
    theirs, swap = psutil.virtual_memory(), psutil.swap_memory()
    numbers = ours.numbers

    assert numbers.memory_total == theirs.total
    assert numbers.memory_available == pytest.approx(theirs.available, **MEMORY)
    assert numbers.memory_free == pytest.approx(theirs.free, **MEMORY)
    assert numbers.memory_shmem == pytest.approx(theirs.shared, **MEMORY)
    assert (numbers.swap_total, numbers.swap_free) == (swap.total, swap.free)


def test_load_boot_and_switches_are_psutils(ours):
    numbers, stats = ours.numbers, psutil.cpu_stats()

    assert (numbers.load1, numbers.load15) == pytest.approx(psutil.getloadavg()[::2], abs=1)
    assert numbers.boot_timestamp == pytest.approx(psutil.boot_time(), abs=2)
    assert 0 <= stats.ctx_switches - numbers.context_switches < 100_000


def test_disks_are_psutils(ours):
    theirs = psutil.disk_io_counters(perdisk=True, nowrap=False)

    assert ours.disks
    for name, disk in ours.disks.items():
        assert disk.read_bytes == pytest.approx(theirs[name].read_bytes, abs=2**28)
        assert disk.reads == pytest.approx(theirs[name].read_count, abs=50_000)
        assert disk.write_seconds == pytest.approx(theirs[name].write_time / 1e3, abs=60)
        assert disk.io_seconds == pytest.approx(theirs[name].busy_time / 1e3, abs=10)


def test_interfaces_are_psutils(ours):
    theirs = psutil.net_io_counters(pernic=True, nowrap=False)

    assert "lo" in ours.interfaces
    for name, interface in ours.interfaces.items():
        assert interface.receive_packets == pytest.approx(theirs[name].packets_recv, abs=50_000)
        assert interface.transmit_bytes == pytest.approx(theirs[name].bytes_sent, abs=2**28)
        assert interface.receive_errors == theirs[name].errin


def test_the_root_filesystem_is_psutils():
    reader = LinuxHost()
    spaces = {place.mountpoint: reader.space(place) for place in reader.places()}
    if "/" not in spaces:
        pytest.skip("its root is no local filesystem")
    theirs = psutil.disk_usage("/")

    assert spaces["/"].size == theirs.total
    assert spaces["/"].available == pytest.approx(theirs.free, **MEMORY)


def test_the_portable_reader_tells_the_same(ours):
    portable = PsutilHost().read()

    assert portable.numbers.memory_total == ours.numbers.memory_total
    assert portable.numbers.cpus == ours.numbers.cpus
    assert portable.cpu_seconds["user"] == pytest.approx(ours.cpu_seconds["user"], abs=5)
    for name, disk in ours.disks.items():
        assert portable.disks[name].written_bytes == pytest.approx(disk.written_bytes, abs=2**28)
    for name, interface in ours.interfaces.items():
        assert portable.interfaces[name].transmit_dropped == interface.transmit_dropped


def test_the_portable_reader_tells_the_same_filesystems():
    ours, portable = LinuxHost(), PsutilHost()
    theirs = {place.mountpoint: portable.space(place) for place in portable.places()}

    shared = [place for place in ours.places() if place.mountpoint in theirs]
    for place in shared:
        assert ours.space(place).available == pytest.approx(theirs[place.mountpoint].available, **MEMORY)
        assert theirs[place.mountpoint].inodes == 0


async def test_this_machine_is_read_raw_and_answers():
    reader = system_reader(platforms.detect())
    sample = await HostSource(reader, patience_s=5).sample()

    assert isinstance(reader, LinuxHost)
    assert None not in sample.spaces.values()
