"""``docker compose`` on one service of one project: what it would do, and doing it.

Builds nothing and pulls nothing, so that what it makes is made of what is here.
"""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from homeostat.commands import run
from homeostat.composefiles import ComposeProject
from homeostat.errors import HomeostatError, NotFound, NotSupported, Permanent, Temporary, Unreachable

#: Of a trial run: ``DRY-RUN MODE -  Container 0123456789ab_shop-web-1  Recreate``.
_EVENT = re.compile(r"\bContainer (?:[0-9a-f]{12}_)?(\S+)\s+([A-Za-z]+)\s*$", re.MULTILINE)
_MADE_ANEW = "Recreate"
#: Words for a container that is left as it is.
_LEFT_ALONE = frozenset({"Running"})
#: Longest reason that is passed on.
_REASON = 300
#: For the programs to end after their time is over, before whoever waits for us gives up.
_MARGIN_S = 3.0
#: With less than this it is not begun: a compose that is ended in the middle may leave a service without a container.
_LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What ``up`` of a service would do by itself.

    ``changed``: containers of the service that were made from other files, variables or images than those that there
    are now. ``others``: containers of other services that it would start or make anew.
    """

    changed: frozenset[str]
    others: frozenset[str]


class ComposeCli:
    """``host``: the engine's, as the docker program takes it; None for DOCKER_HOST or the usual socket.

    All raise NotSupported without a docker program and its compose, Unreachable without an engine, Temporary past the
    timeout (what was begun may be half done), and Permanent, with compose's own last words, for the rest.
    """

    def __init__(
        self, project: ComposeProject, host: str | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        # A context that somebody has chosen for himself is not where our containers are.
        self._docker = ("docker", *(("--host", host) if host else ("--context", "default")), "compose")
        # These would change which project and which services are meant.
        self._environ = {name: value for name, value in environ.items() if not name.startswith("COMPOSE_")}
        folder = ("--project-directory", str(project.folder)) if project.folder else ()
        files = (word for path in project.files for word in ("--file", str(path)))
        env_files = (word for path in project.env_files for word in ("--env-file", str(path)))
        self._project = ("--project-name", project.name, *folder, *files, *env_files)

    async def preview(self, service: str, containers: Collection[str], timeout_s: float) -> Preview:
        """``containers``: names of all that the service has now. Changes nothing."""
        mine, count = frozenset(containers), len(containers)
        # Not `up`: also on trial it waits for what the service depends on to be healthy.
        told = await self._try(_words("create", service, count), timeout_s)
        changed = {name for name in mine if _MADE_ANEW in told.get(name, ())}
        if changed:
            # One that was made with --no-deps has a hash without its dependencies, and is as it should be all the same.
            alone = await self._try(_words("up", service, count, "--detach", "--no-deps"), timeout_s)
            changed = {name for name in changed if _MADE_ANEW in alone.get(name, ())}
        others = {name for name, words in told.items() if name not in mine and not words <= _LEFT_ALONE}
        return Preview(frozenset(changed), frozenset(others))

    async def up(self, service: str, count: int, options: Sequence[str], timeout_s: float) -> None:
        """Until ``service`` has ``count`` containers; ``options`` of ``docker compose up``."""
        await self._run((*self._project, *_words("up", service, count, "--detach", *options)), timeout_s)

    async def _try(self, words: Sequence[str], timeout_s: float) -> Mapping[str, frozenset[str]]:
        """Container name -> what would become of it."""
        told: dict[str, frozenset[str]] = {}
        for name, word in _EVENT.findall(await self._run(("--dry-run", *self._project, *words), timeout_s)):
            told[name] = told.get(name, frozenset()) | {word}
        return told

    async def _run(self, words: Sequence[str], timeout_s: float) -> str:
        argv = (*self._docker, *words)
        allowed_s = max(timeout_s - _MARGIN_S, timeout_s / 2)
        if allowed_s < _LEAST_S:
            raise Temporary("no time was left for docker compose, so it was not begun")
        try:
            result = await run(argv, allowed_s, env=self._environ)
        except NotFound as err:
            raise NotSupported(
                "there is no docker program on PATH: install Docker's command line and its compose plugin where the"
                " responder runs"
            ) from err
        if result.exit_code is None:
            raise Temporary(f"docker compose was not done within {allowed_s:g} s and was ended")
        if result.exit_code:
            raise _failure(result.output)
        return result.output


def _words(command: str, service: str, count: int, *options: str) -> tuple[str, ...]:
    return (command, "--no-build", "--pull", "never", "--scale", f"{service}={count}", *options, service)


def _failure(output: str) -> HomeostatError:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if line.startswith(("unknown ", "docker: unknown ", "docker: 'compose'")):
            return NotSupported(f"docker compose 2.18 or newer is needed where the responder runs ({line:.{_REASON}})")
    last = lines[-1] if lines else "it said nothing"
    if "Cannot connect to the Docker daemon" in last:
        return Unreachable(f"docker compose: {last:.{_REASON}}")
    return Permanent(f"docker compose: {last:.{_REASON}}")
