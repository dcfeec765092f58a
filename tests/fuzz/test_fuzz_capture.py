"""Logs of others are redacted and searched soon, whatever stands in them: evidence has three seconds for all of it."""

import time
from collections.abc import Callable

import pytest
from effort import examples
from hypothesis import given
from hypothesis import strategies as st

from responder.capture.causes import CAUSES, find_causes
from responder.capture.redact import redact
from responder.capture.secretshapes import SHAPES

#: All that is read of logs at once.
_BYTES = 128 * 1024
_WITHIN_S = 1.5
#: What redaction and search look for, and what holds it together.
FRAGMENTS = (
    *dict.fromkeys(hint for shape in SHAPES for hint in shape.hints),
    *(phrase for phrases in CAUSES.values() for phrase in phrases[:2]),
    *("-----BEGIN PRIVATE KEY-----", "-----END", "\x1b[", "\x1b]0;", "\u202e", "\u0130", "A" * 40, "0" * 16, "%3D"),
    *("=", ":", "://", "@", "/", '"', "'", "\\", '\\"', "{", "[", ",", ";", "&", "?", " ", "\t", "\n", "-", "_", "."),
)
units = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), min_size=1, max_size=5).map("".join).filter(bool)


def redact_with_secrets(text: str) -> str:
    return redact(text, ("hunter2hunter2", "=", '"' * 8, "\\" * 8))


@pytest.mark.parametrize("look", [redact, redact_with_secrets, find_causes])
@given(units, st.sampled_from(["", "\n"]))
@examples(25)
def test_the_same_again_and_again_takes_no_time(look: Callable[[str], object], unit: str, end: str):
    text = (unit + end) * (_BYTES // len(unit + end))
    start = time.process_time()

    look(text)

    assert time.process_time() - start < _WITHIN_S


@given(st.text(max_size=200) | st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
@examples(150)
def test_any_text(text: str):
    redacted = redact(text, ("hunter2hunter2",))

    assert redacted.encode() is not None
    assert all(finding.count > 0 for finding in find_causes(redacted))


@given(st.text(alphabet="=:\"' ,;&\\/@%ab\n", max_size=30), st.text(alphabet="=:\"' ,;&\\/@%ab\n", max_size=30))
@examples(150)
def test_a_known_secret_is_nowhere(before: str, after: str):
    secret = "hunter2-hunter2"

    assert secret not in redact(before + secret + after, (secret,))
