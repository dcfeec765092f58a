"""GET /leaks: what is said of every series, as JSON, for the command line and other programs.

``?workload=``, ``?container=``, ``?resource=`` choose; ``?history=1`` adds the floors that it rests on.
"""

import asyncio
import json
import math
from collections.abc import Mapping

from aiohttp import web

from exporters.leakseries import Row
from exporters.leakwatch import LeakWatch
from homeostat.errors import Temporary

#: Of one series it is 10 KB.
_MOST_HISTORIES = 100
_FILTERS = ("workload", "container", "resource")


async def answer(request: web.Request, leaks: LeakWatch) -> web.Response:
    """503 with the reason while nothing is known that is not stale."""
    try:
        rows = [row for row in leaks.snapshot().rows if _is_wanted(row, request.query)]
    except Temporary as err:
        return _error(503, str(err))
    if request.query.get("history") != "1":
        return await _json([of_row(row) for row in rows])
    if len(rows) > _MOST_HISTORIES:
        allowed = f"at most {_MOST_HISTORIES}; choose by {', '.join(_FILTERS)}"
        return _error(400, f"history of {len(rows)} series; allowed: {allowed}")
    histories = await leaks.history([row.key for row in rows])
    return await _json([of_row(row) | {"history": histories.get(row.key, [])} for row in rows])


def _is_wanted(row: Row, query: Mapping[str, str]) -> bool:
    return all(query[name] == getattr(row.key, name) for name in _FILTERS if name in query)


def of_row(row: Row) -> dict[str, object]:
    """One series. Times are epoch seconds; null for what there is not, and for what is endless."""
    said = row.assessment
    return {
        "workload": row.key.workload,
        "container": row.key.container,
        "resource": row.key.resource,
        "verdict": said.verdict,
        "slope": said.slope,
        "slope_low": said.slope_low,
        "slope_high": said.slope_high,
        "confidence": said.confidence,
        "exhaustion": _finite(said.exhaustion),
        "exhaustion_cautious": _finite(said.exhaustion_cautious),
        "restart": row.restart_at,
        "onset": said.onset,
        "limit": said.limit,
        "value": row.value,
        "bound": row.bound,
        "reasons": said.reasons,
        "last_sample": row.last_sample,
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


async def _json(series: list[dict[str, object]]) -> web.Response:
    # A few hundred KB take milliseconds, in which scrapes would wait.
    text = await asyncio.to_thread(json.dumps, {"series": series})
    return web.json_response(text=text)


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
