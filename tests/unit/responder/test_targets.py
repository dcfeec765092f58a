"""What a step may touch: by what the engine says now, never more than the alert names."""

import dataclasses
from pathlib import Path

import pytest
from fakes.containers import container
from fakes.world import no_files

from homeostat import settings as settings_module
from homeostat.errors import NotFound, Unreachable
from homeostat.guardian_client import GuardianClient
from responder.ledger import Episode
from responder.targets import Resolver

WEB = container(name="web-1", homeostat__enable="true")
OTHER = dataclasses.replace(WEB, id="2", name="web-2", status="exited", pid=0)


class Engine:
    """homeostat.containers.Engine, as far as the resolver asks."""

    def __init__(self, *containers, error=None):
        self.containers, self.error = list(containers), error

    async def list(self, _workload_id):
        if self.error:
            raise self.error
        return self.containers


async def resolve(engine, **labels):
    labels = {"alertname": "A", "workload": "shop/web", **labels}
    episode = Episode(1, "a" * 16, labels, {}, 0.0, 0.0, None, None, "", None, None, None)
    resolver = Resolver(engine, GuardianClient(Path("/nowhere")), no_files)
    return await resolver.resolve_or_problem(episode, settings_module.defaults(Path("/nowhere"), {}))


async def test_the_container_that_the_alert_names_and_no_other():
    target = await resolve(Engine(WEB, OTHER), container="web-2")

    assert [container.name for container in target.containers] == ["web-2"]


async def test_without_a_name_what_somebody_stopped_is_left_alone():
    target = await resolve(Engine(WEB, OTHER))

    assert [container.name for container in target.containers] == ["web-1"]


async def test_without_a_name_and_with_nothing_running_all_of_them():
    target = await resolve(Engine(dataclasses.replace(WEB, status="exited", pid=0), OTHER))

    assert [container.name for container in target.containers] == ["web-1", "web-2"]


@pytest.mark.parametrize(
    ("engine", "labels", "kind"),
    [
        (Engine(WEB), {"container": "db-1"}, NotFound),
        (Engine(WEB), {"workload": "../etc"}, NotFound),
        (Engine(), {}, NotFound),
        (Engine(error=Unreachable("the engine is busy")), {}, Unreachable),
    ],
    ids=["another's container", "no workload", "nothing there", "engine is down"],
)
async def test_what_cannot_be_found_and_what_cannot_be_asked_are_different(engine, labels, kind):
    assert isinstance(await resolve(engine, **labels), kind)
