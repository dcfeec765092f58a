"""Alertmanager's silences over its API v2, and which of them are homeostat's planned maintenance."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from homeostat import names
from homeostat.alertmanager_api import TIMEOUT_S, answered
from homeostat.clock import parse_rfc3339, rfc3339
from homeostat.errors import Permanent
from homeostat.workloadregex import NOT_ANY, as_patterns, as_regex, means_any

#: Longer is no maintenance: who needs that puts a hold, or takes `enable` from the workload.
LONGEST_S: Final = 7 * 86400.0
_CREATOR = "homeostat: "


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a silence, in Alertmanager's words."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool = True

    def __str__(self) -> str:
        sign = ("=~" if self.is_regex else "=") if self.is_equal else ("!~" if self.is_regex else "!=")
        return f"{self.name}{sign}{self.value!r}"


@dataclass(frozen=True, slots=True)
class Silence:
    """One that has not ended. Times in epoch seconds. ``id`` empty: not yet known to Alertmanager."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: float
    ends_at: float
    created_by: str
    comment: str

    @property
    def workloads(self) -> tuple[str, ...] | None:
        """Patterns, for a silence of ours; None for anybody else's, which is never touched."""
        if not self.created_by.startswith(_CREATOR):
            return None
        regex = next((each.value for each in self.matchers if each.is_regex and each.is_equal), "")
        return as_patterns(regex) if sorted(self.matchers, key=str) == sorted(_matchers(regex), key=str) else None

    @property
    def by(self) -> str:
        """The person of a silence of ours."""
        return self.created_by.removeprefix(_CREATOR)


def silence_of(workloads: Sequence[str], span: tuple[float, float], by: str, why: str, *, old_id: str = "") -> Silence:
    """One of ours. ``span``: from, to. ``old_id``: of the one that it takes the place of."""
    return Silence(old_id, _matchers(as_regex(workloads)), *span, _CREATOR + by, why)


def _matchers(regex: str) -> tuple[Matcher, ...]:
    wanted = Matcher(names.WORKLOAD, regex, is_regex=True)
    return (wanted, Matcher(names.WORKLOAD, NOT_ANY, is_regex=True, is_equal=False)) if means_any(regex) else (wanted,)


class SilenceClient:
    """Raises Unreachable when the server does not answer, Permanent when it refuses."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def all(self) -> list[Silence]:
        """Those in force and those to come."""
        rows = await self._request("GET", "silences")
        try:
            if not isinstance(rows, list):
                raise TypeError(f"a list was expected, not {type(rows).__name__}")  # noqa: TRY301 - said below
            return [_silence(row) for row in rows if row["status"]["state"] != "expired"]
        except (LookupError, TypeError, ValueError) as err:
            raise self._strange(err) from err

    async def put(self, silence: Silence) -> str:
        """Its id at Alertmanager, which may be another one than before when it takes the place of one."""
        body = {
            "matchers": [
                {"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal}
                for m in silence.matchers
            ],
            "startsAt": rfc3339(silence.starts_at),
            "endsAt": rfc3339(silence.ends_at),
            "createdBy": silence.created_by,
            "comment": silence.comment,
        }
        answer = await self._request("POST", "silences", json=body | ({"id": silence.id} if silence.id else {}))
        try:
            return str(answer["silenceID"])
        except (LookupError, TypeError) as err:
            raise self._strange(err) from err

    async def end(self, silence_id: str) -> None:
        await self._request("DELETE", f"silence/{silence_id}")

    async def _request(self, method: str, path: str, **options: Any) -> Any:  # JSON, typed by the callers
        async with answered(self._session, self._url, method, path, **options) as response:
            async with asyncio.timeout(TIMEOUT_S):
                return await response.json() if method != "DELETE" else None

    def _strange(self, err: Exception) -> Permanent:
        return Permanent(f"{self._url} does not answer as Alertmanager does: {err!r}")


def _silence(row: Mapping[str, Any]) -> Silence:
    matchers = tuple(Matcher(m["name"], m["value"], m["isRegex"], m.get("isEqual", True)) for m in row["matchers"])
    return Silence(
        id=row["id"],
        matchers=matchers,
        starts_at=parse_rfc3339(row["startsAt"]) or 0.0,
        ends_at=parse_rfc3339(row["endsAt"]) or 0.0,
        created_by=row["createdBy"],
        comment=row["comment"],
    )
