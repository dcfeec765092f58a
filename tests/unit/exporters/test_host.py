"""The host from recorded and made-up files, as Prometheus's own parser reads the page."""

import os
import shutil
from pathlib import Path

import pytest
from fakes import host as hosts
from prometheus_client.parser import text_string_to_metric_families

from exporters.collectors.host import METRICS, HostCollector, families
from exporters.host.labelsets import HostLabels
from exporters.host.source import HostSource
from homeostat.encoder import render

GOLDEN = Path(__file__).parents[2] / "data" / "host" / "server.prom"


async def collected(root, known=None, ask=hosts.statvfs):
    source = HostSource(hosts.host(root, ask))
    return await HostCollector(source.sample, known or HostLabels()).collect()


def values(found):
    """{(name without the prefix, label values): value}."""
    return {
        (sample.name.removeprefix("homeostat_host_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(render(found).decode())
        for sample in family.samples
    }


async def test_the_page_of_a_server_is_as_agreed(tmp_path, pytestconfig):
    page = render(await collected(hosts.tree(tmp_path, "server"))).decode()
    if pytestconfig.getoption("--update-goldens"):
        GOLDEN.write_text(page)

    assert page == GOLDEN.read_text()


async def test_figures_are_in_base_units(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))

    assert found["cpu_seconds_total", "iowait"] == 5
    assert found["cpus",] == 3
    assert found["memory_available_bytes",] == 9000000 * 1024
    assert found["load5",] == 1.25
    assert found["file_descriptors_max",] == 2**63 - 1
    assert found["pressure_waiting_seconds_total", "cpu"] == 15.02826
    assert found["pressure_stalled_seconds_total", "memory"] == 1.5
    assert found["oom_kills_total",] == 4
    assert found["disk_read_bytes_total", "nvme0n1"] == 80000 * 512
    assert found["disk_io_seconds_total", "nvme0n1"] == 5
    assert found["network_transmit_bytes_total", "enp1s0"] == 987654321098
    assert found["network_receive_dropped_total", "enp1s0"] == 2
    assert found["filesystem_size_bytes", "/", "ext4"] == 4 * 2**30
    assert found["filesystem_available_bytes", "/", "ext4"] == 4 * 2**30 * 7 / 32


async def test_the_network_stack_is_told_in_base_units(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))

    assert found["sockets",] == 512
    assert found["tcp_sockets_time_wait",] == 40
    assert found["tcp_memory_bytes",] == 128 * os.sysconf("SC_PAGE_SIZE")
    assert found["conntrack_entries",] == 1234
    assert found["conntrack_entries_max",] == 262144
    assert found["threads_max",] == 127000
    assert {("tcp_segments_retransmitted_total",), ("tcp_listen_overflows_total",), ("udp_sent_total",)} <= found.keys()


async def test_a_kernel_without_connection_tracking_tells_nothing_of_it(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "wsl2")))

    assert not [name for name, *_ in found if name.startswith("conntrack")]


async def test_guest_time_is_told_once_within_user_time(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))
    modes = {key[1] for key in found if key[0] == "cpu_seconds_total"}

    assert modes == {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}


async def test_only_whole_disks_are_told(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))

    assert {key[1] for key in found if key[0] == "disk_reads_total"} == {"nvme0n1", "sdb", "cciss/c0d0"}


async def test_interfaces_of_containers_are_left_out(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))

    names = {key[1] for key in found if key[0] == "network_receive_bytes_total"}
    assert names == {"lo", "enp1s0", "bond0.100", "docker0", "br-lan"}


async def test_without_pressure_files_nothing_is_said_of_pressure(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "wsl2")))

    assert not [key for key in found if "pressure" in key[0]]
    assert found["memory_total_bytes",] == 16318772 * 1024
    assert ("oom_kills_total",) not in found
    assert {key[1] for key in found if key[0] == "disk_reads_total"} == {"sdc"}


async def test_on_wsl2_drives_of_windows_are_not_asked(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "wsl2")))

    mounts = {key[1] for key in found if key[0] == "filesystem_answers"}
    assert mounts == {"/", "/mnt/wsl/docker-desktop-data/isocache"}


async def test_pressure_that_the_kernel_lists_but_does_not_tell_is_left_out(tmp_path):
    root = hosts.tree(tmp_path, "server")
    (root / "proc/pressure/io").write_bytes(b"")
    found = values(await collected(root))

    assert ("pressure_waiting_seconds_total", "io") not in found
    assert ("pressure_waiting_seconds_total", "memory") in found


async def test_a_host_that_tells_nothing_is_an_empty_page(tmp_path):
    (tmp_path / "proc").mkdir()

    assert render(await collected(tmp_path)) == b""


@pytest.mark.parametrize("gone", ["meminfo", "vmstat", "stat", "diskstats", "loadavg", "1/net/dev", "1/mountinfo"])
async def test_a_file_that_is_gone_takes_only_its_own_figures_along(tmp_path, gone):
    root = hosts.tree(tmp_path, "server")
    whole = values(await collected(root))
    (root / "proc" / gone).unlink()
    rest = values(await collected(root))

    assert rest.items() <= whole.items()
    assert len(rest) > len(whole) / 2


async def test_a_filesystem_without_a_number_of_inodes_has_no_inodes(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))

    assert ("filesystem_inodes", "/boot/efi", "vfat") not in found
    assert ("filesystem_inodes_free", "/boot/efi", "vfat") not in found
    assert ("filesystem_size_bytes", "/boot/efi", "vfat") in found
    assert found["filesystem_inodes_free", "/", "ext4"] == 750_000


async def test_a_full_filesystem_has_zero_left_rather_than_nothing(tmp_path):
    def full(path):
        return hosts.os.statvfs_result((4096, 4096, 1000, 0, 0, 1000, 0, 0, 0, 255))

    found = values(await collected(hosts.tree(tmp_path, "server"), ask=full))

    assert found["filesystem_available_bytes", "/", "ext4"] == 0
    assert found["filesystem_inodes_free", "/", "ext4"] == 0


async def test_a_filesystem_that_the_kernel_made_readonly_is_said_to_be(tmp_path):
    found = values(await collected(hosts.tree(tmp_path, "server")))

    assert found["filesystem_readonly", "/srv/my data", "xfs"] == 1
    assert found["filesystem_readonly", "/", "ext4"] == 0


async def test_a_nasty_mountpoint_stays_data(tmp_path):
    root = hosts.tree(tmp_path, "server")
    for table in ("1", "self"):
        (root / f"proc/{table}/mountinfo").write_bytes(
            rb'22 1 253:0 / /a"}\0121\040\134\377 rw - ext4 /dev/sda rw' b"\n"
        )
    found = values(await collected(root))

    assert ("filesystem_size_bytes", '/a"}\n1 \\?', "ext4") in found


async def test_labels_are_rendered_once_and_forgotten_with_what_they_name(tmp_path):
    root, known = hosts.tree(tmp_path, "server"), HostLabels()
    first = {name for f in await collected(root, known) for name, _ in f.samples if "nvme" in name}
    second = {name for f in await collected(root, known) for name, _ in f.samples if "nvme" in name}
    (root / "proc/diskstats").write_text("")
    await collected(root, known)

    assert {id(name) for name in first} == {id(name) for name in second}
    assert not known.disks._known


async def test_a_disk_that_is_plugged_in_is_told_from_the_next_look_on(tmp_path):
    root = hosts.tree(tmp_path, "vm")
    source = HostSource(hosts.host(root))
    before = await source.sample()
    (root / "sys/block/vdb/slaves").mkdir(parents=True)
    with (root / "proc/diskstats").open("a") as file:
        file.write(" 254 16 vdb 1 0 8 1 1 0 8 1 0 2 2\n")
    after = await source.sample()

    assert list(before.reading.disks) == ["vda"]
    assert list(after.reading.disks) == ["vda", "vdb"]


async def test_the_recorded_machine_is_told_whole(tmp_path):
    found = await collected(hosts.tree(tmp_path, "vm"))

    assert {family.metric for family in found if family.samples} == set(METRICS)


async def test_every_family_is_declared(tmp_path):
    found = await collected(hosts.tree(tmp_path, "server"))

    assert [family.metric for family in found] == list(METRICS)
    shutil.rmtree(tmp_path / "server")
    assert families(await HostSource(hosts.host(tmp_path)).sample(), HostLabels())
