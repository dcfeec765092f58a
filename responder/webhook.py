"""The HTTP edge: authenticate, parse, write durably, answer. Acting happens elsewhere.

Answers are chosen for what Alertmanager makes of them: 2xx is final; 5xx is retried soon; 4xx comes back with the next
group interval. So: 202 after the write, 503 when it cannot be written, 4xx only for what will never be right.
"""

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from homeostat.clock import parse_rfc3339
from homeostat.errors import SettingsError
from responder.ledger import Alert

_MIN_TOKEN = 16


def read_tokens(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """Bearer tokens, one a file. Raises SettingsError; a token is never repeated in the message."""
    tokens: list[bytes] = []
    for path in paths:
        try:
            token = path.read_bytes().strip()
        except OSError as err:
            raise SettingsError([f"responder.token_files: {path}: {err.strerror}; `homeostat up` makes one"]) from err
        if len(token) < _MIN_TOKEN:
            raise SettingsError(
                [f"responder.token_files: {path}: shorter than {_MIN_TOKEN} bytes; allowed: a long random text"]
            )
        tokens.append(token)
    return tuple(tokens)


def is_authorised(header: str | None, tokens: Sequence[bytes]) -> bool:
    """Whether an Authorization header carries one of the tokens; every token is compared, in constant time."""
    scheme, _, given = (header or "").partition(" ")
    # aiohttp gives raw bytes of a header as lone surrogates: they must come back out as the bytes they were.
    raw = given.strip().encode(errors="surrogateescape")
    matches = [hmac.compare_digest(raw, token) for token in tokens]
    return scheme.lower() == "bearer" and any(matches)


def _instant(text: str) -> str:
    parse_rfc3339(text)
    return text


class _WireAlert(BaseModel):
    """One of ``alerts[]``, payload version 4. Fields we do not use may be there; newer versions add some."""

    status: Annotated[str, Field(pattern="^(firing|resolved)$")]
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = {}
    startsAt: Annotated[str, AfterValidator(_instant)]  # noqa: N815 - Alertmanager's name
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class _Payload(BaseModel):
    """The body. Top-level ``status`` and ``groupKey`` are not read: they say nothing about one alert."""

    version: Annotated[str, Field(pattern="^4$")]
    alerts: Sequence[_WireAlert]


def parse_body(body: bytes) -> list[Alert]:
    """The alerts of a delivery. Raises ValueError, in words for the sender's log, when it is not payload version 4."""
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as err:
        first = err.errors(include_input=False)[0]
        raise ValueError(f"not an Alertmanager payload: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return [
        Alert(
            fingerprint=alert.fingerprint,
            labels=alert.labels,
            annotations=alert.annotations,
            starts_at=parse_rfc3339(alert.startsAt) or 0.0,
            is_firing=alert.status == "firing",
        )
        for alert in payload.alerts
    ]
