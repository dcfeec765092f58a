"""Telling people of a crash loop by Alertmanager, for a guardian that no Prometheus watches.

Where Prometheus does (`homeostat up`), the rule WorkloadCrashLooping tells them: two calls for one trouble are one
too many.
"""

import aiohttp

from guardian.escalate import CrashLoopNotice, Notify
from homeostat import names
from homeostat.alertmanager_api import AlertmanagerClient, PostedAlert
from homeostat.clock import Clock

#: Over a weekend; Alertmanager ends it by itself, for nobody may be left to resolve it.
_LASTS_S = 72 * 3600.0


def alertmanager_notify(url: str, clock: Clock) -> Notify:
    """Posts one alert; raises what the client raises."""

    async def notify(notice: CrashLoopNotice) -> None:
        now = clock.now()
        alert = PostedAlert(
            labels={
                "alertname": names.ALERT_ESCALATION,
                names.SEVERITY: "critical",
                names.WORKLOAD: notice.workload,
                "source_alert": "WorkloadCrashLooping",
            },
            annotations={
                "summary": "A supervised process ends again and again; it is not restarted any more.",
                "description": f"{notice.count} ends within {notice.window_s:g} s, the last with exit code "
                f"{notice.exit_code}; see {notice.log}",
            },
            starts_at=now,
            ends_at=now + _LASTS_S,
        )
        async with aiohttp.ClientSession() as session:
            await AlertmanagerClient(url, session).post([alert])

    return notify
