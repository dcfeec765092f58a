"""The three questions homeostat asks Prometheus's HTTP API."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from homeostat.errors import NotFound, Permanent, Unreachable

_TIMEOUT_S = 5.0
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector."""

    labels: Mapping[str, str]
    value: float


class PrometheusClient:
    """Raises Unreachable when the server does not answer, Permanent when it refuses the query."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def query(self, expression: str) -> list[Sample]:
        """Evaluate now; the result must be an instant vector."""
        data = await self._get("/api/v1/query", {"query": expression})
        with self._understanding():
            if data["resultType"] != "vector":
                raise Permanent(f"{expression!r} gives a {data['resultType']}, not an instant vector")
            return [Sample(row["metric"], float(row["value"][1])) for row in data["result"]]

    async def alert_expression(self, labels: Mapping[str, str]) -> str:
        """The expression of the alerting rule that gives alerts these labels, as Prometheus has it loaded.

        Rules may share a name (one for each severity, say): then the one whose labels the alert has. Raises NotFound.
        """
        alert = labels.get("alertname", "")
        data = await self._get("/api/v1/rules", {"type": "alert", "rule_name[]": alert})
        with self._understanding():
            rules = [rule for group in data["groups"] for rule in group["rules"] if rule["name"] == alert]
            # The sort is stable: where labels are templates and match nowhere, the first rule of the name is taken.
            rules.sort(key=lambda rule: not rule["labels"].items() <= labels.items())
            if rules:
                return str(rules[0]["query"])
        raise NotFound(f"Prometheus has no alerting rule {alert!r}")

    async def alerts(self) -> list[Mapping[str, Any]]:
        """Pending and firing alerts as /api/v1/alerts gives them."""
        data = await self._get("/api/v1/alerts", {})
        return list(data["alerts"])

    async def _get(self, path: str, params: Mapping[str, str]) -> Any:  # JSON, typed by the callers
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._session.get(self._url + path, params=params) as response:
                body = await response.json()
        except TimeoutError:
            raise Unreachable(f"Prometheus at {self._url} did not answer within {_TIMEOUT_S:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as err:
            raise Unreachable(f"Prometheus at {self._url} does not answer: {err}") from err
        if response.status >= _SERVER_ERROR:  # overloaded, or not ready yet: says nothing of what was asked
            raise Unreachable(f"Prometheus at {self._url} cannot answer now: status {response.status}")
        with self._understanding():
            if body["status"] != "success":
                raise Permanent(f"Prometheus refused {path}: {body.get('error', response.status)}")
            return body["data"]

    @contextlib.contextmanager
    def _understanding(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, TypeError, ValueError) as err:
            raise Permanent(f"{self._url} does not answer as Prometheus does: {err!r}") from err
