"""Who belongs to a group, and what is counted: decided over made-up processes."""

import pytest
from fakes.processtable import FakeProcess, FakeTable
from prometheus_client.parser import text_string_to_metric_families

from exporters.collectors.process_groups import METRICS, families
from exporters.processgroups import ProcessGroups
from exporters.processtable import State, Usage
from homeostat.encoder import render
from homeostat.sections import ProcessGroup


def group(*names, command=None):
    return ProcessGroup(names=names, command=command)


def watching(table, **groups):
    return ProcessGroups(groups or {"web": group("nginx")}, table)


def page(groups):
    """{(name without the prefix, group, rest of the labels): value}."""
    return {
        (sample.name.removeprefix("homeostat_process_group_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(render(families(groups.sample())).decode())
        for sample in family.samples
    }


def test_a_group_without_members_is_zero_and_not_missing():
    found = page(watching(FakeTable(FakeProcess(1, "init"))))

    assert found == {
        **{("states", "web", state.value): 0 for state in State},
        ("context_switches_total", "web", "voluntary"): 0,
        ("context_switches_total", "web", "involuntary"): 0,
        ("processes", "web"): 0,
        ("cpu_seconds_total", "web"): 0,
        ("resident_memory_bytes", "web"): 0,
        ("anon_memory_bytes", "web"): 0,
        ("threads", "web"): 0,
        ("open_fds", "web"): 0,
        ("worst_fd_ratio", "web"): 0,
    }


def test_members_are_summed():
    table = FakeTable(
        FakeProcess(1, "nginx", born=500.0, use=Usage(1.0, 100, 60, 2, 10, 1000)),
        FakeProcess(2, "nginx", born=400.0, use=Usage(2.0, 200, 70, 3, 80, 100), state=State.RUNNING),
        FakeProcess(3, "bash", born=1.0, use=Usage(9.0, 900, 900, 9, 900, 1000)),
    )
    found = page(watching(table))

    assert found["processes", "web"] == 2
    assert found["resident_memory_bytes", "web"] == 300
    assert found["anon_memory_bytes", "web"] == 130
    assert found["threads", "web"] == 5
    assert found["open_fds", "web"] == 90
    assert found["oldest_start_timestamp_seconds", "web"] == 400
    assert (found["states", "web", "running"], found["states", "web", "sleeping"]) == (1, 1)


def test_one_process_near_its_limit_is_not_hidden_by_the_others():
    table = FakeTable(
        *(FakeProcess(pid, "nginx", use=Usage(0, open_fds=5, max_fds=100_000)) for pid in range(1, 50)),
        FakeProcess(99, "nginx", use=Usage(0, open_fds=1000, max_fds=1024)),
    )

    assert page(watching(table))["worst_fd_ratio", "web"] == 1000 / 1024


def test_all_families_are_declared():
    table = FakeTable(FakeProcess(1, "nginx", use=Usage(1.0, max_fds=1)))

    assert [family.metric for family in families(watching(table).sample())] == list(METRICS)


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("nginx", "", "web"),
        ("nginx2", "", None),
        ("python3", "python3 -m gunicorn app:app", "app"),
        ("python3", "python3 -m http.server", None),
        ("nginx", "python3 -m gunicorn", "web"),  # the first group that fits
        ("prometheus-node", "", "exporter"),
        ("kworker/0:1", "", None),
        ("anything", "x", "all"),
    ],
)
def test_a_process_belongs_by_exact_name_or_by_its_command_line(name, line, expected):
    groups = watching(
        FakeTable(FakeProcess(1, name, line)),
        web=group("nginx", "httpd"),
        app=group(command=r"\bgunicorn\b"),
        exporter=group("prometheus-node-exporter"),
        all=group(command="^.?$"),  # kernel threads and zombies have no command line: they are not of it
    )

    assert [found for found, sample in groups.sample().items() if sample.processes] == ([expected] if expected else [])


def test_the_command_line_is_looked_at_twice_and_never_again():
    process = FakeProcess(1, "python3", "python3 -m http.server")
    groups = watching(FakeTable(process), a=group(command="x"), b=group(command="y"))
    for _ in range(10):
        groups.sample()

    assert process.asked == 2


def test_what_was_seen_between_fork_and_exec_is_found_at_the_second_look():
    process = FakeProcess(2, "python3", "python3 master.py")
    table = FakeTable()
    groups = watching(table, workers=group(command="worker.py"))
    groups.sample()
    table.now = [process]
    groups.sample()
    process.line, process.use = "python3 worker.py", Usage(3.0)
    second = groups.sample()["workers"]

    assert (second.processes, second.cpu_seconds) == (1, 3.0)


def test_what_was_seen_in_the_middle_of_exec_is_found_at_the_next_look():
    process = FakeProcess(2, "sh", "sh start.sh")
    groups = watching(FakeTable(process), web=group(command="server"))
    groups.sample()
    groups.sample()
    process.name, process.line = "java", ""
    groups.sample()
    process.line, process.use = "java -jar server.jar", Usage(3.0)
    joined = groups.sample()["web"]
    process.use = Usage(3.5)

    assert (joined.processes, joined.cpu_seconds) == (1, 0.0)
    assert groups.sample()["web"].cpu_seconds == 0.5


def test_a_process_that_takes_another_name_changes_its_group_and_leaves_what_it_used():
    process = FakeProcess(2, "old", use=Usage(0.0))
    groups = watching(FakeTable(process), old=group("old"), new=group("new"))
    groups.sample()
    process.use = Usage(5.0)
    groups.sample()
    process.name, process.use = "new", Usage(6.0)
    groups.sample()
    process.use = Usage(8.0)
    found = groups.sample()

    assert (found["old"].processes, found["old"].cpu_seconds) == (0, 5.0)
    assert (found["new"].processes, found["new"].cpu_seconds) == (1, 2.0)


def test_what_was_used_before_the_exporter_started_is_not_counted():
    process = FakeProcess(1, "nginx", use=Usage(1000.0, voluntary_switches=50))
    groups = watching(FakeTable(process))
    first = groups.sample()["web"]
    process.use = Usage(1000.5, voluntary_switches=57)
    second = groups.sample()["web"]

    assert (first.cpu_seconds, first.voluntary_switches) == (0, 0)
    assert (second.cpu_seconds, second.voluntary_switches) == (0.5, 7)


def test_what_a_newcomer_used_since_its_start_is_counted():
    table = FakeTable()
    groups = watching(table)
    groups.sample()
    table.now = [FakeProcess(1, "nginx", use=Usage(0.75))]

    assert groups.sample()["web"].cpu_seconds == 0.75


def test_totals_keep_what_ended_members_used():
    one, two = FakeProcess(1, "nginx"), FakeProcess(2, "nginx")
    table = FakeTable(one, two)
    groups = watching(table)
    groups.sample()
    one.use = Usage(4.0, voluntary_switches=3, involuntary_switches=2)
    two.use = Usage(1.0)
    groups.sample()
    table.now = [two]
    found = groups.sample()["web"]

    assert (found.processes, found.cpu_seconds, found.voluntary_switches) == (1, 5.0, 3)
    table.now = []
    assert groups.sample()["web"].cpu_seconds == 5.0


def test_a_newcomer_under_an_old_pid_is_another_process():
    table = FakeTable(FakeProcess(1, "nginx"))
    groups = watching(table)
    groups.sample()
    table.now = [FakeProcess(1, "nginx", use=Usage(10.0))]
    groups.sample()
    table.now = [FakeProcess(1, "nginx", born=2000.0, use=Usage(0.25))]

    assert groups.sample()["web"].cpu_seconds == 10.25


def test_a_zombie_is_no_running_process_but_what_it_used_counts():
    process = FakeProcess(1, "python3", "gunicorn", use=Usage(0.0, 100, open_fds=3, max_fds=10))
    groups = watching(FakeTable(process), app=group(command="gunicorn"))
    groups.sample()
    process.state, process.line, process.use = State.ZOMBIE, "", Usage(2.0)
    found = groups.sample()["app"]

    assert (found.processes, found.states[State.ZOMBIE], found.cpu_seconds) == (0, 1, 2.0)
    assert (found.resident_bytes, found.open_fds, found.oldest_start) == (0, 0, None)


def test_a_zombie_is_known_by_its_last_name():
    process = FakeProcess(1, "sh")
    groups = watching(FakeTable(process))
    groups.sample()
    process.state, process.name = State.ZOMBIE, "nginx"

    assert groups.sample()["web"].states[State.ZOMBIE] == 1


def test_a_process_that_ends_while_it_is_measured_is_not_counted_and_not_lost():
    process = FakeProcess(1, "nginx")
    table = FakeTable(process)
    groups = watching(table)
    groups.sample()
    process.use = Usage(3.0)
    groups.sample()
    process.use = None
    found = groups.sample()["web"]

    assert (found.processes, found.cpu_seconds, found.states[State.SLEEPING]) == (0, 3.0, 0)


def test_descriptors_that_may_not_be_seen_are_absent_rather_than_zero():
    table = FakeTable(
        FakeProcess(1, "nginx", use=Usage(1.0, 100, open_fds=7, max_fds=10)),
        FakeProcess(2, "nginx", use=Usage(1.0, 100, open_fds=None, max_fds=10)),
    )
    found = page(watching(table, web=group("nginx"), other=group("nobody")))

    assert ("open_fds", "web") not in found
    assert ("worst_fd_ratio", "web") not in found
    assert found["resident_memory_bytes", "web"] == 200
    assert found["open_fds", "other"] == 0


def test_a_process_that_may_not_be_seen_at_all_is_counted_and_not_measured():
    table = FakeTable(FakeProcess(1, "nginx", use=Usage(1.0, 100)), FakeProcess(2, "nginx", is_hidden=True))
    found = page(watching(table))

    assert found["processes", "web"] == 2
    assert ("resident_memory_bytes", "web") not in found
    assert ("threads", "web") not in found


def test_where_no_limits_are_told_there_is_no_share_of_them():
    table = FakeTable(FakeProcess(1, "nginx", use=Usage(1.0, open_fds=7, anon_bytes=None)))
    found = page(watching(table))

    assert found["open_fds", "web"] == 7
    assert ("worst_fd_ratio", "web") not in found
    assert ("anon_memory_bytes", "web") not in found


def test_processes_that_ended_are_forgotten():
    table = FakeTable()
    groups = watching(table)
    for pid in range(200):
        table.now = [FakeProcess(pid, "nginx")]
        groups.sample()

    assert len(groups._known) == 1


def test_a_count_that_the_kernel_takes_back_does_not_go_backwards():
    process = FakeProcess(1, "nginx", use=Usage(5.0))
    groups = watching(FakeTable(process))
    groups.sample()
    process.use = Usage(6.0)
    groups.sample()
    process.use = Usage(5.5)

    assert groups.sample()["web"].cpu_seconds == 1.0


def test_a_session_is_measured_whole_whatever_its_members_are_called():
    leader, child = FakeProcess(10, "api", session=10), FakeProcess(11, "sh", session=10)
    stranger = FakeProcess(12, "api", session=12)
    groups = ProcessGroups({}, FakeTable(leader, child, stranger))
    sample = groups.sample({10: "local/api"})

    assert sample.keys() == {"local/api"}
    assert sample["local/api"].processes == 2


def test_a_session_that_has_gone_leaves_nothing():
    table = FakeTable(FakeProcess(10, "api", session=10))
    groups = ProcessGroups({}, table)
    groups.sample({10: "local/api"})
    table.now = [FakeProcess(20, "api", session=20)]

    assert groups.sample({20: "local/api"})["local/api"].processes == 1
    assert groups.sample({}) == {}
    assert groups._totals == {}
