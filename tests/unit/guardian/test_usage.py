"""Usage is of the whole tree, and finding the tree is seldom."""

from fakes.clock import FakeClock
from fakes.processes import FakeProcesses, row

from guardian.usage import Usage, UsageReader
from homeostat.processes import ProcessId

ROOT = ProcessId(10, 10.0)


def test_the_tree_is_summed():
    processes = FakeProcesses.of(row(10), row(11, 10), row(12, 11), row(20))

    assert UsageReader(processes, FakeClock()).read(ROOT) == Usage(rss_bytes=300, cpu_seconds=3.0, open_fds=9)


def test_all_of_proc_is_read_at_most_every_15_seconds_for_all_trees_together():
    processes = FakeProcesses.of(row(10), row(20))
    clock = FakeClock()
    reader = UsageReader(processes, clock)

    for _ in range(30):
        reader.read(ROOT)
        reader.read(ProcessId(20, 20.0))
        clock.advance(1.0)

    assert processes.table_reads == 2


def test_who_ended_since_does_not_count_nor_does_who_got_its_pid():
    processes = FakeProcesses.of(row(10), row(11, 10), row(12, 10))
    reader = UsageReader(processes, FakeClock())
    reader.read(ROOT)

    del processes.table[11]
    processes.table[12] = row(12, start=99.0)

    assert reader.read(ROOT).rss_bytes == 100


def test_a_process_newer_than_the_last_look_counts_itself():
    processes = FakeProcesses.of()
    reader = UsageReader(processes, FakeClock())
    reader.read(ROOT)

    processes.table[10] = row(10)

    assert reader.read(ROOT).rss_bytes == 100
