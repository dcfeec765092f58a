"""What an episode is about, resolved now: its workload, its containers or process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from homeostat import directory
from homeostat.configfiles.managed import ConfigFiles
from homeostat.containers import Container, Engine
from homeostat.errors import HomeostatError, NotFound
from homeostat.guardian_client import GuardianClient
from homeostat.settings import Settings
from homeostat.workloads import FILES, LOCAL, Kind, Workload, is_workload_id
from responder.ledger import Episode


@dataclass(frozen=True, slots=True)
class Target:
    """What a step acts on. ``containers`` is the one that the alert names, else those of the workload that run (one
    that somebody stopped stays stopped), else all of them.
    """

    workload: Workload
    containers: tuple[Container, ...]
    process: str


class Resolver:
    """Finds targets by allowlist: homeostat.yml and what the engine says now, never text from an alert."""

    def __init__(self, engine: Engine | None, guardian: GuardianClient, files: Callable[[], ConfigFiles]) -> None:
        self.engine = engine
        self.guardian = guardian
        self.files = files

    async def resolve(self, episode: Episode, settings: Settings) -> Target:
        """Raises NotFound, SettingsError (bad labels) or Unreachable; each ``str()`` is fit for the ledger."""
        if not is_workload_id(episode.workload):
            raise NotFound("the workload label is not PROJECT/NAME")
        project, _, name = episode.workload.partition("/")
        if project == LOCAL:
            return Target(directory.describe(episode.workload, (), settings), (), name)
        if project == FILES:
            self.files().spec(name)
            return Target(Workload(episode.workload, Kind.FILE, enabled=True), (), "")
        containers = await self.engine.list(episode.workload) if self.engine else []
        workload = directory.describe(episode.workload, containers, settings)
        meant = _meant(containers, episode.container)
        if not meant:
            raise NotFound(f"workload {episode.workload} has no container {episode.container!r:.80}")
        return Target(workload, meant, "")

    async def resolve_or_none(self, episode: Episode, settings: Settings) -> Target | None:
        """The target, if there is one now and that can be told."""
        found = await self.resolve_or_problem(episode, settings)
        return None if isinstance(found, HomeostatError) else found

    async def resolve_or_problem(self, episode: Episode, settings: Settings) -> Target | HomeostatError:
        """The target, or why there is none now."""
        try:
            return await self.resolve(episode, settings)
        except HomeostatError as err:
            return err


def _meant(containers: Sequence[Container], name: str) -> tuple[Container, ...]:
    if name:
        return tuple(container for container in containers if container.name == name)
    return tuple(container for container in containers if container.is_running) or tuple(containers)
