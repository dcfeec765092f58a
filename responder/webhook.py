"""The HTTP edge: authenticate, parse, write durably, answer. Acting happens elsewhere.

Answers are chosen for what Alertmanager makes of them: 2xx is final; 5xx is retried soon; 4xx comes back with the next
group interval. So: 202 after the write, 503 when it cannot be written, 4xx only for what will never be right.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from aiohttp import web

from homeostat.clock import parse_rfc3339
from homeostat.errors import SettingsError
from homeostat.explain import Invalid, dotted
from homeostat.quantities import matching
from homeostat.structure import Checked, received
from responder.ledger import Alert

_MIN_TOKEN = 16
_LONG_AGO = "2000-01-01T00:00:00Z"
#: Between two pieces of a body. Who needs longer only keeps a connection; a body in broken chunks never ends at all.
_PIECE_S = 3.0


async def read_body(request: web.Request, most: int, setting: str = "") -> bytes:
    """All of it, without waiting long, at most so many bytes once unpacked (``setting``). Raises HTTPException."""
    # Not request.read(): what it unpacks swells to several times client_max_size before it is counted.
    body = bytearray()
    try:
        async with asyncio.timeout(_PIECE_S) as deadline:
            async for piece in request.content.iter_any():
                deadline.reschedule(asyncio.get_running_loop().time() + _PIECE_S)
                body += piece
                if len(body) > most:
                    body.clear()  # the error would keep it for as long as it is kept itself
                    words = f"larger than {most} bytes" + (f" ({setting})" if setting else "")
                    raise _in_words(web.HTTPRequestEntityTooLarge(max_size=most, actual_size=most + 1), words)
    except TimeoutError:
        raise _in_words(web.HTTPRequestTimeout(), f"no more of the body came for {_PIECE_S:g} s") from None
    except web.RequestPayloadError:
        raise _in_words(web.HTTPBadRequest(), "the body is not packed as its head says") from None
    except ConnectionError:  # nobody hears it; aiohttp would call it our error
        raise _in_words(web.HTTPBadRequest(), "the sender hung up in the middle of the body") from None
    return bytes(body)


def _in_words(refusal: web.HTTPException, words: str) -> web.HTTPException:
    refusal.text, refusal.content_type = json.dumps({"error": words}), "application/json"
    return refusal


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


def _instant(text: str) -> None:
    try:
        parse_rfc3339(text)
    except ValueError:
        raise ValueError("must be an RFC 3339 time") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _WireAlert:
    """One of ``alerts[]``, payload version 4. Fields we do not use may be there; newer versions add some."""

    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_at: Annotated[str, Checked(_instant)] = field(metadata={"key": "startsAt"})
    fingerprint: Annotated[str, matching("[0-9a-f]{16}", "must be 16 hexadecimal digits")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payload:
    """The body. Top-level ``status`` and ``groupKey`` are not read: they say nothing about one alert."""

    version: Literal["4"]
    alerts: tuple[_WireAlert, ...]


def parse_body(body: bytes) -> list[Alert]:
    """The alerts of a delivery. Raises ValueError, in words for the sender's log, when it is not payload version 4."""
    try:
        payload = received(_Payload, json.loads(body.decode()))
    except Invalid as err:
        first = err.problems[0]  # words and no value: what was sent may be secret
        raise ValueError(f"not an Alertmanager payload: {dotted(first.path)}: {first.words}") from None
    except (ValueError, RecursionError):
        raise ValueError("not an Alertmanager payload: not JSON") from None
    return [_alert(alert) for alert in payload.alerts]


def parse_alert(body: bytes) -> Alert:
    """One alert, alone or as the first of a delivery; only its labels are needed. Raises ValueError as above."""
    try:
        data = json.loads(body.decode())
        if isinstance(data, dict) and isinstance(data.get("alerts"), list) and data["alerts"]:
            data = data["alerts"][0]
        defaults = {"status": "firing", "startsAt": _LONG_AGO, "fingerprint": "0" * 16}
        return _alert(received(_WireAlert, {**defaults, **data} if isinstance(data, dict) else data))
    except Invalid as err:
        raise ValueError(f"not an alert: {dotted(err.problems[0].path)}: {err.problems[0].words}") from None
    except (ValueError, RecursionError):
        raise ValueError("not an alert: not JSON") from None


def _alert(alert: _WireAlert) -> Alert:
    return Alert(
        fingerprint=alert.fingerprint,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=parse_rfc3339(alert.starts_at) or 0.0,
        is_firing=alert.status == "firing",
    )
