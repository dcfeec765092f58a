"""Which of the running processes is the one to adopt."""

import pytest
from fakes.processes import FakeProcesses, row

from guardian.adopt import find_live
from guardian.state import Record
from homeostat.processes import ProcessId

RECORD = Record(pid=10, start=10.0)


@pytest.mark.parametrize(
    ("record", "marked", "rows", "live"),
    [
        pytest.param(RECORD, [10], [row(10, session=10)], 10, id="recorded"),
        pytest.param(RECORD, [], [row(10, session=10)], 10, id="recorded, its environment overwritten"),
        pytest.param(RECORD, [], [row(10, start=99.0)], None, id="recycled pid"),
        pytest.param(RECORD, [10], [row(10, is_zombie=True)], None, id="zombie"),
        pytest.param(RECORD, [], [], None, id="gone"),
        pytest.param(Record(), [20, 21], [row(20, session=20), row(21, 20, session=20)], 20, id="record lost"),
        pytest.param(RECORD, [20], [row(20, session=20)], None, id="left behind by the recorded one"),
        pytest.param(Record(), [21], [row(21, session=20)], None, id="only an orphan of its session"),
        pytest.param(Record(), [20, 22], [row(20, session=20), row(22, session=22)], 20, id="the older leader"),
        pytest.param(Record(), [20, 21], [row(20), row(21, 20)], 20, id="no sessions: the parent"),
        pytest.param(Record(), [20], [row(20, start=99.0)], None, id="marked one is gone by now"),
    ],
)
def test_find_live(record, marked, rows, live):
    found = find_live(record, [ProcessId(pid, float(pid)) for pid in marked], FakeProcesses.of(*rows).rows())

    assert (found.pid if found else None) == live
