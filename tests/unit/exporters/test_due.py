"""What a poll asks for beyond the list."""

import pytest

from exporters.due import POLLS_PER_ROUND, contradicts, due, needs_inspection
from homeostat.containers import ContainerRow


def listed(container, **changes):
    """The container's row in the list, as Docker has it before API 1.52."""
    health = container.health if container.is_running and container.health != "none" else None
    values = {"names": frozenset({container.name}), "status": container.status, "health": health} | changes
    return ContainerRow(id=container.id, is_oneoff=False, **values)


def asked(rows, known=(), inspected_at=(), suspects=()):
    return due(rows, {c.id: c for c in known}, dict(inspected_at), set(suspects))


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({}, {}),
        ({}, {"health": "none"}),  # API 1.52
        ({"status": "exited"}, {}),
        ({"status": "exited", "health": "unhealthy"}, {}),  # which the list forgets
        ({"status": "created"}, {}),
        ({"health": "healthy"}, {}),
        ({}, {"names": frozenset({"shop-web-1", "shop-db-1/alias"})}),  # a legacy link to it
    ],
)
def test_what_the_list_settles_is_not_inspected(make, values, row):
    container = make(**values)

    assert not needs_inspection(listed(container, **row), container)


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({}, {"status": "exited"}),
        ({}, {"status": "paused"}),
        ({}, {"names": frozenset({"other"})}),
        ({}, {"names": frozenset()}),
        ({"health": "healthy"}, {"health": "unhealthy"}),
        ({}, {"health": "starting"}),
        ({"health": "healthy"}, {"health": None}),  # Podman does not tell
        ({"health": "healthy", "status": "paused"}, {"health": None}),  # nor does Docker then
        ({"health": "starting"}, {}),
        ({"health": "unhealthy"}, {}),
        ({"status": "restarting"}, {}),
        ({"status": "removing"}, {}),
        ({"status": "dead"}, {}),
    ],
)
def test_what_the_list_contradicts_or_what_changes_by_itself_is_inspected(make, values, row):
    container = make(**values)

    assert needs_inspection(listed(container, **row), container)


@pytest.mark.parametrize(
    ("values", "row", "expected"),
    [
        ({"health": "healthy"}, {"health": None}, False),
        ({"health": "starting"}, {}, False),
        ({"status": "restarting"}, {}, False),
        ({"health": "healthy"}, {"health": "none"}, True),
        ({"health": "healthy", "status": "exited"}, {"health": "none"}, False),  # API 1.52
        ({}, {"status": "exited"}, True),
    ],
)
def test_not_to_tell_is_no_contradiction(make, values, row, expected):
    container = make(**values)

    assert contradicts(listed(container, **row), container) is expected


def test_what_is_new_or_suspect_is_inspected(make):
    known = [make(f"shop-web-{number}") for number in range(3)]
    new = make("shop-db-1")
    wanted = asked([listed(c) for c in (*known, new)], known, {c.id: 1.0 for c in known}, {known[1].id})

    assert {new.id, known[1].id} <= wanted


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 100, 300])
def test_everyone_has_a_turn_in_a_round_and_the_turns_are_spread(make, count):
    known = [make(f"shop-web-{number}") for number in range(count)]
    rows = [listed(container) for container in known]
    inspected_at = {container.id: 0.0 for container in known}
    sizes = []
    for poll in range(1, POLLS_PER_ROUND + 1):
        wanted = asked(rows, known, inspected_at)
        inspected_at |= dict.fromkeys(wanted, float(poll))
        sizes.append(len(wanted))

    assert all(at > 0 for at in inspected_at.values())
    assert max(sizes, default=0) <= -(-count // POLLS_PER_ROUND)
