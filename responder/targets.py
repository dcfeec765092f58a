"""What an episode is about, resolved now: its workload, its containers or process."""

from dataclasses import dataclass

from homeostat import directory
from homeostat.containers import Container, Engine
from homeostat.errors import HomeostatError, NotFound
from homeostat.guardian_client import GuardianClient
from homeostat.settings import Settings
from homeostat.workloads import LOCAL, Workload, is_workload_id
from responder.ledger import Episode


@dataclass(frozen=True, slots=True)
class Target:
    """What a step acts on. ``containers`` is the one that the alert names, else all of the workload."""

    workload: Workload
    containers: tuple[Container, ...]
    process: str


class Resolver:
    """Finds targets by allowlist: homeostat.yml and what the engine says now, never text from an alert."""

    def __init__(self, engine: Engine | None, guardian: GuardianClient) -> None:
        self.engine = engine
        self.guardian = guardian

    async def resolve(self, episode: Episode, settings: Settings) -> Target:
        """Raises NotFound, SettingsError (bad labels) or Unreachable; each ``str()`` is fit for the ledger."""
        if not is_workload_id(episode.workload):
            raise NotFound("the workload label is not PROJECT/NAME")
        project, _, name = episode.workload.partition("/")
        if project == LOCAL:
            return Target(directory.describe(episode.workload, (), settings), (), name)
        containers = await self.engine.list(episode.workload) if self.engine else []
        workload = directory.describe(episode.workload, containers, settings)
        named = [c for c in containers if not episode.container or c.name == episode.container]
        if not named:
            raise NotFound(f"workload {episode.workload} has no container {episode.container!r:.80}")
        return Target(workload, tuple(named), "")

    async def resolve_or_problem(self, episode: Episode, settings: Settings) -> tuple[Target | None, str]:
        """The target, or None and why not."""
        try:
            return await self.resolve(episode, settings), ""
        except HomeostatError as err:
            return None, str(err)
