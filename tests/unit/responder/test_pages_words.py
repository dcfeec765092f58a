"""Texts of the status page."""

import pytest

from responder.pages.words import lasting, moment, relative, shown, took

CUT = "..."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-0.5, "just now"),
        (0.9, "just now"),
        (-1, "1 s ago"),
        (-119, "119 s ago"),
        (-120, "2 min ago"),
        (-7199, "119 min ago"),
        (-7200, "2 h ago"),
        (-86400 * 3.9, "3 d ago"),
        (59.9, "in 59 s"),
        (600, "in 10 min"),
    ],
)
def test_times_are_told_as_people_tell_them(seconds: float, words: str):
    assert relative(seconds) == words


def test_what_took_long_is_told_in_minutes_and_what_did_not_to_the_tenth():
    assert (took(8.04), took(60), took(200), lasting(0)) == ("8.0 s", "60 s", "3 min", "0 s")


def test_a_moment_says_the_time_for_machines_and_for_people():
    found = moment(1_795_485_600.9, 1_795_485_720.9)

    assert (found.iso, found.utc, found.ago) == ("2026-11-24T02:00:00Z", "2026-11-24 02:00:00 UTC", "2 min ago")


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x1b", "\n", "\x00", "\u2066", "\ufeff", "\ud800"])
def test_what_turns_hides_or_breaks_text_is_replaced(hidden: str):
    assert shown(f"shop/{hidden}web") == "shop/\N{REPLACEMENT CHARACTER}web"


def test_long_text_is_cut_and_says_so():
    assert shown("x" * 301) == "x" * 297 + CUT
    assert shown("x" * 300) == "x" * 300
