"""When a fault was noticed, acted on and verified, as the responder's API tells it; and whether users saw the same."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from chaos.load import Load
from chaos.shop import Victim, served
from homeostat.clock import Clock, parse_rfc3339

_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Timeline:
    """One fault's way through homeostat. Times are epoch seconds, None where it has not come yet."""

    fault: str
    workload: str
    fault_at: float
    alert: str = ""
    alert_at: float | None = None
    action: str = ""
    action_at: float | None = None
    final: str = ""
    final_at: float | None = None

    @property
    def is_verified(self) -> bool:
        return self.final == "verified"

    def seconds(self) -> dict[str, float | None]:
        """The benchmark's figures."""
        return {
            "fault_to_alert": _between(self.fault_at, self.alert_at),
            "alert_to_action": _between(self.alert_at, self.action_at),
            "action_to_verified": _between(self.action_at, self.final_at),
            "total": _between(self.fault_at, self.final_at),
        }


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


@dataclass(frozen=True, slots=True)
class Follower:
    """Asks a responder what it makes of a fault."""

    responder_url: str
    session: aiohttp.ClientSession
    clock: Clock

    async def follow(
        self, fault: str, workload: str, fault_at: float, deadline_s: float, show: Callable[[Timeline], None]
    ) -> Timeline:
        """Until every recovery of the workload since the fault has ended, or the deadline."""
        timeline = Timeline(fault, workload, fault_at)
        while self.clock.now() < fault_at + deadline_s:
            recoveries = await self.recoveries(workload, fault_at)
            timeline = _timeline(timeline, recoveries)
            show(timeline)
            if recoveries and all(recovery["final"] for recovery in recoveries):
                break
            await self.clock.sleep(_POLL_S)
        return timeline

    async def recoveries(self, workload: str, since: float) -> list[Mapping[str, Any]]:
        """Recoveries of a workload opened since then, oldest first; those that are only recorded left out."""
        async with (
            asyncio.timeout(10),
            self.session.get(f"{self.responder_url}/api/v1/recoveries?limit=200") as response,
        ):
            rows = await response.json()
        ours = [row for row in rows if row["workload"] == workload and (parse_rfc3339(row["opened_at"]) or 0) >= since]
        return [row for row in reversed(ours) if row["remedy"] != "record"]


def _timeline(known: Timeline, recoveries: Sequence[Mapping[str, Any]]) -> Timeline:
    """The recovery that acted; the first one while none has."""
    if not recoveries:
        return known
    acted = [row for row in recoveries if any(entry["kind"] == "started" for entry in row["entries"])]
    row = (acted or recoveries)[0]
    skipped = {entry["token"] for entry in row["entries"] if entry.get("status") == "skipped"}
    started = [entry for entry in row["entries"] if entry["kind"] == "started" and entry["id"] not in skipped]
    return Timeline(
        fault=known.fault,
        workload=known.workload,
        fault_at=known.fault_at,
        alert=row["alert"],
        alert_at=parse_rfc3339(row["opened_at"]),
        action=" -> ".join(entry["action"] for entry in started),
        action_at=parse_rfc3339(started[0]["at"]) if started else None,
        final=row["final"] or "",
        final_at=parse_rfc3339(row["finished_at"]) if row["finished_at"] else None,
    )


async def contradictions(timeline: Timeline, victim: Victim, load: Load, hold_s: float) -> list[str]:
    """What users and the shop's own request log have to say against a claim of recovery. Empty: nothing."""
    if not timeline.is_verified or timeline.final_at is None:
        return []
    # A little inside the hold: its first look and the request in flight then may lie apart.
    since, until = timeline.final_at - hold_s + 0.5, timeline.final_at + 1.0
    bad = [request for request in load.between(since, until) if not request.is_good]
    log = await served(victim, since, until)
    failed = [row for row in log if int(str(row["status"])) >= 500]  # noqa: PLR2004 - HTTP
    found = []
    if bad:
        found.append(f"{len(bad)} requests failed during the hold")
    if failed:
        found.append(f"the request log has {len(failed)} errors during the hold")
    if not log:
        found.append("the request log has no request during the hold")
    return found
