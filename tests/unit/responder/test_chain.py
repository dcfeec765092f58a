"""The chain of the ledger's lines: any edit of any of them is seen, and told once."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder import chain
from responder.ledger import Episode, Final, Link

LABELS = {"alertname": "WorkloadDown", "workload": "shop/web"}


def linked(lines: Iterable[Link]) -> list[Link]:
    """With the digests that a store writes."""
    found: list[Link] = []
    before = chain.START
    for line in lines:
        before = chain.digest(before, line)
        found.append(replace(line, digest=before))
    return found


def line(number: int, kind: str = "waiting", text: str = "{}", episode_id: int = 1) -> Link:
    return Link(number, 1000.0 + number, episode_id, "shop/web", kind, text, "")


def opening(labels: dict[str, str] = LABELS) -> Link:
    return line(1, "opened", chain.text({"starts_at": 1.0, "labels": chain.labels_digest(labels, {})}))


def ending(final: str = "verified", reason: str = "good") -> Link:
    return line(2, "final", chain.text({"final": final, "reason": reason}))


def episode(final: Final | None = None, reason: str = "", labels: dict[str, str] = LABELS) -> Episode:
    return Episode(1, "a" * 16, labels, {}, 1.0, 1.0, None, final, reason, None, None, None)


def problems(lines: Iterable[Link], *episodes: Episode) -> list[str]:
    check = chain.Check()
    return [*check.lines(lines), *check.episodes(episodes)]


def test_lines_as_they_were_written_have_no_problems():
    lines = linked([opening(), ending(), *(line(n) for n in range(3, 20))])

    check = chain.Check()

    assert list(check.lines(lines)) == []
    assert (check.head, check.count, check.seen()) == (lines[-1].digest, 19, [1])


def test_of_no_lines_the_head_is_the_start():
    check = chain.Check()

    assert (list(check.lines([])), check.head, check.count) == ([], "0" * 64, 0)


def test_lines_may_come_in_pages():
    lines = linked(line(n) for n in range(1, 10))
    check = chain.Check()

    assert [*check.lines(lines[:4]), *check.lines(lines[4:])] == []
    assert check.count == 9


def test_a_digest_is_what_it_has_always_been():
    """Ledgers on disks rest on it: whoever changes it has to rewrite them."""
    text = chain.text({"rung": 0, "action": "restart", "name": "\xe4\x00\U0001d54f"})
    first = Link(1, 1700000000.25, 7, "shop/web", "started", text, "")

    assert text == '{"action":"restart","name":"\\u00e4\\u0000\\ud835\\udd4f","rung":0}'
    assert chain.digest(chain.START, first) == GOLDEN


GOLDEN = "d92160460e675d147e987c1498e0212b1b15166d356d44bb22569c891e84a461"


@pytest.mark.parametrize(
    "edit",
    [
        {"at": 1000.0},
        {"at": 1003.0000000000001},
        {"episode_id": 2},
        {"workload": "shop/db"},
        {"workload": "shop/web "},
        {"kind": "finished"},
        {"text": '{"a":1}'},
        {"text": "{ }"},
        {"workload": "\ud800"},
        {"digest": "f" * 64},
        {"digest": ""},
    ],
)
@pytest.mark.parametrize("at", [0, 2, 4])
def test_an_edit_is_seen_and_told_with_its_line(edit: dict[str, object], at: int):
    lines = linked(line(n) for n in range(1, 6))
    lines[at] = replace(lines[at], **edit)

    found = problems(lines)

    assert found[0].startswith(f"line {at + 1} ")
    # Whoever changes a digest makes the next line wrong, too.
    assert len(found) == (2 if "digest" in edit and at < 4 else 1)


def test_an_edit_with_a_fitting_digest_is_seen_at_the_next_line():
    lines = linked(line(n) for n in range(1, 6))
    forged = replace(lines[2], text='{"forged":true}', digest="")
    lines[2] = replace(forged, digest=chain.digest(lines[1].digest, forged))

    [found] = problems(lines)

    assert found.startswith("line 4 ")


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_missing_line_is_seen(missing: int):
    lines = linked(line(n) for n in range(1, 6))
    del lines[missing]

    found = problems(lines)

    assert f"follows line {missing}: 1 are missing" in found[0]


def test_two_lines_in_each_others_place_are_seen():
    lines = linked(line(n) for n in range(1, 6))
    lines[1], lines[2] = lines[2], lines[1]

    found = problems(lines)

    assert "line 3: follows line 1: 1 are missing" in found
    assert "line 2: follows line 3: it is out of its place" in found


def test_a_line_that_is_put_in_is_seen():
    lines = linked(line(n) for n in range(1, 4))
    lines.insert(2, replace(line(2, text='{"extra":1}'), digest=lines[1].digest))

    assert problems(lines)


def test_a_cut_end_shows_only_in_the_head():
    lines = linked(line(n) for n in range(1, 6))
    whole, cut = chain.Check(), chain.Check()

    assert [*whole.lines(lines), *cut.lines(lines[:3])] == []
    assert whole.head != cut.head


@given(
    texts=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5), min_size=1, max_size=6),
    data=st.data(),
)
def test_any_single_edit_is_seen(texts: list[str], data: st.DataObject):
    lines = linked(line(n, text=chain.text({"t": text})) for n, text in enumerate(texts, start=1))
    at = data.draw(st.integers(0, len(lines) - 1))
    name = data.draw(st.sampled_from(["id", "at", "episode_id", "workload", "kind", "text", "digest"]))
    before = getattr(lines[at], name)
    numbers = st.floats(allow_nan=False) if name == "at" else st.integers(-5, 5)
    after = data.draw((st.text(max_size=8) if isinstance(before, str) else numbers).filter(lambda new: new != before))
    lines[at] = replace(lines[at], **{name: after})

    assert problems(lines)


# --- Episodes, held against the lines


def test_episodes_as_the_lines_tell_have_no_problems():
    assert problems(linked([opening(), ending()]), episode(Final.VERIFIED, "good")) == []
    assert problems(linked([opening()]), episode()) == []


@pytest.mark.parametrize(
    "edited",
    [
        episode(Final.ESCALATED, "good"),
        episode(Final.VERIFIED, "very good"),
        episode(None),
    ],
)
def test_an_edited_final_state_is_seen(edited: Episode):
    [found] = problems(linked([opening(), ending()]), edited)

    assert found.startswith("recovery 1: its final state")


def test_a_final_state_without_a_line_is_seen():
    [found] = problems(linked([opening()]), episode(Final.VERIFIED, "good"))

    assert found.startswith("recovery 1: its final state")


@pytest.mark.parametrize("labels", [{**LABELS, "workload": "shop/db"}, {}, {**LABELS, "more": ""}])
def test_edited_labels_are_seen(labels: dict[str, str]):
    [found] = problems(linked([opening()]), episode(labels=labels))

    assert found.startswith("recovery 1: its labels")


def test_edited_annotations_are_seen():
    [found] = problems(linked([opening()]), replace(episode(), annotations={"summary": "All is well."}))

    assert found.startswith("recovery 1: its labels or annotations")


def test_the_order_of_labels_says_nothing():
    assert chain.labels_digest({"a": "1", "b": "2"}, {}) == chain.labels_digest({"b": "2", "a": "1"}, {})
    assert chain.labels_digest({"a": "1"}, {}) != chain.labels_digest({}, {"a": "1"})


def test_a_line_from_before_labels_were_vouched_for_says_nothing_of_them():
    assert problems(linked([line(1, "opened", '{"starts_at": 1.0}')]), episode()) == []


@pytest.mark.parametrize("text", ["", "[]", "3", "nonsense", '{"final": "verified"}', "null", '"labels"', "\x00"])
@pytest.mark.parametrize("kind", ["opened", "final"])
def test_data_that_cannot_be_read_is_told_and_stops_nothing(kind: str, text: str):
    lines = linked([opening(), ending(), line(3)])
    at = 0 if kind == "opened" else 1
    lines[at] = replace(lines[at], text=text)

    assert problems(lines)[0].startswith(f"line {at + 1} ({kind} of recovery 1)")


def test_which_episodes_the_lines_tell_of_is_known():
    check = chain.Check()

    assert list(check.lines(linked([line(1, episode_id=7), line(2, episode_id=3), line(3, episode_id=7)]))) == []
    assert check.seen() == [3, 7]
