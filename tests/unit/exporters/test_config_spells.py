"""From when to when a file was damaged, put together from what was seen and what the history says."""

import pytest

from exporters.configspells import as_seen, from_history, latest
from homeostat.configfiles.versions import Origin, Version


def version(origin, at=0.0, since=0.0):
    return Version(at, "", 0, 0o600, origin, is_good=origin is not Origin.FOUND, since=since)


SEEN = version(Origin.SEEN)
FOUND = version(Origin.FOUND, 12.0, since=10.0)
RESTORED = version(Origin.RESTORED, 12.0)


@pytest.mark.parametrize(
    ("versions", "spell"),
    [
        ((), None),
        ((SEEN, RESTORED), None),
        ((SEEN, FOUND), None),
        ((SEEN, FOUND, RESTORED), (10.0, 12.0)),
        # What was found before a person's change is not what was put back later, when there was nothing.
        ((SEEN, FOUND, version(Origin.CHANGED, 12.0), version(Origin.RESTORED, 90.0)), None),
        ((SEEN, FOUND, RESTORED, version(Origin.RESTORED, 90.0)), (10.0, 12.0)),
        ((SEEN, FOUND, RESTORED, version(Origin.FOUND, 50.0, 40.0), version(Origin.RESTORED, 50.0)), (40.0, 50.0)),
        ((FOUND, version(Origin.ROLLED_BACK, 12.0)), None),
    ],
)
def test_the_history_knows_of_what_was_replaced_by_the_last_restoring(versions, spell):
    assert from_history(versions) == spell


@pytest.mark.parametrize(
    ("changed_at", "ended_at"),
    [
        pytest.param(15.0, 15.0, id="by the file's own time"),
        pytest.param(9.0, 20.0, id="the schema was changed, not the file"),
        pytest.param(99.0, 20.0, id="a time in the future"),
        pytest.param(None, 20.0, id="no time"),
    ],
)
def test_a_spell_that_was_seen_ends_with_the_change_that_ended_it(changed_at, ended_at):
    assert as_seen(10.0, changed_at, 20.0) == (10.0, ended_at)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(None, None, None, id="none"),
        pytest.param((1.0, 2.0), None, (1.0, 2.0), id="only one knows"),
        pytest.param((1.0, 2.0), (5.0, 6.0), (5.0, 6.0), id="two damages: the later one"),
        pytest.param((5.0, 7.0), (4.0, 6.0), (4.0, 7.0), id="of one damage: all of it"),
        pytest.param((4.0, 9.0), (5.0, 6.0), (4.0, 9.0), id="one within the other"),
    ],
)
def test_what_two_know_is_put_together(one, other, expected):
    assert latest(one, other) == expected
    assert latest(other, one) == expected
