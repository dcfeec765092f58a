"""The running responder, as its routes see it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from homeostat import settings as settings_module
from homeostat.clock import Clock
from homeostat.settings import Settings
from responder.brake import Brake
from responder.escalationtest import Surroundings
from responder.intake import Intake
from responder.ledger import Alert, Store
from responder.metrics import Metrics
from responder.reconcile import Reconciler
from responder.trackrecord import TrackRecord
from responder.watchposts import DeadMan, StormWatch
from responder.webhook import is_authorised, read_tokens


@dataclass(slots=True)
class Live:
    """What a reload replaces. Everyone else holds a reference to this, never to the settings in it."""

    path: Path | None
    settings: Settings
    tokens: tuple[bytes, ...]

    def reload(self) -> None:
        """Read the file again; on any error everything stays as it was. Raises SettingsError."""
        if self.path is None:
            return
        fresh = settings_module.load(self.path)
        tokens = read_tokens(fresh.responder.token_files)
        self.settings, self.tokens = fresh, tokens


@dataclass(slots=True)
class Parts:
    """``plan``: what would be done about such an alert now. ``nudge``: reconcile soon."""

    live: Live
    store: Store
    metrics: Metrics
    clock: Clock
    intake: Intake
    reconciler: Reconciler
    people: Surroundings
    dead_man: DeadMan
    brake: Brake
    storm: StormWatch
    plan: Callable[[Alert], Awaitable[dict[str, object]]]
    track: TrackRecord
    nudge: asyncio.Event


PARTS = web.AppKey("parts", Parts)


def require_token(request: web.Request) -> None:
    """For what changes anything. Raises HTTPUnauthorized."""
    if not is_authorised(request.headers.get("Authorization"), request.app[PARTS].live.tokens):
        raise web.HTTPUnauthorized(
            text='{"error": "a valid bearer token is required"}', content_type="application/json"
        )
