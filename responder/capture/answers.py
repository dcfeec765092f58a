"""What a hook told of its application -> lines for the ledger: redacted, cut to size. Pure."""

import json
from collections.abc import Iterable

from responder.capture.fit import size
from responder.capture.redact import redact

_LONGEST_LINE = 500
_CUT = "..."


def told(body: bytes, secrets: Iterable[str], most_bytes: int, *, is_cut: bool) -> list[str]:
    """The first lines that fit into ``most_bytes`` as JSON, and a last one that says when something is missing.

    ``is_cut``: ``body`` is only the beginning. JSON is laid out, a line a value: its keys are the application's own,
    and no less to be redacted than its values.
    """
    lines = [_short(line) for line in redact(_laid_out(body), secrets).split("\n") if line.strip()]
    room = most_bytes - size([_notice(len(lines))])
    kept = 0
    while kept < len(lines) and (room := room - size(lines[kept]) - len(", ")) >= 0:
        kept += 1
    missing = len(lines) - kept
    return [*lines[:kept], _notice(missing)] if missing or is_cut else lines


def _laid_out(body: bytes) -> str:
    text = body.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):  # plain text, or JSON that is cut or made to be hard to read
        return text


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + _CUT


def _notice(missing: int) -> str:
    return f"[cut: {missing} lines, and what was not read]"
