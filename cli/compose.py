"""homeostat in containers, by `docker compose` and the shipped docker-compose.yml."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cli.ready import Part
from homeostat import commands
from homeostat.errors import HomeostatError, NotSupported, Permanent
from homeostat.quantities import host_port
from homeostat.rendering import ROOT, render
from homeostat.settings import Settings

#: Where docker-compose.yml mounts the folder of secrets.
_SECRETS_IN_CONTAINER = "/run/homeostat"
_FILE = ROOT / "docker-compose.yml"
_NEEDED = ("prometheus", "alertmanager", "exporter", "responder")
_PULL_TIMEOUT_S = 120.0
_UP_TIMEOUT_S = 900.0
_QUICK_S = 20.0


async def is_possible() -> bool:
    """Whether an engine answers and has Compose."""
    try:
        for probe in (("docker", "version", "--format", "{{.Server.Version}}"), ("docker", "compose", "version")):
            if (await commands.run(probe, timeout_s=_QUICK_S)).exit_code != 0:
                return False
    except HomeostatError:
        return False
    return True


async def up(settings: Settings, path: Path, errors: Console) -> list[Part]:
    """Build, create and start. Raises NotSupported without Compose, Permanent with its output when it fails."""
    if not await is_possible():
        raise NotSupported("no Docker Engine with Compose answers; start one, or use --mode native")
    environment = _environment(settings, path)
    services = list(_NEEDED)
    if await _has_grafana(environment, errors):
        services.append("grafana")
    was_up = bool((await _compose(("ps", "--quiet", "exporter"), environment, _QUICK_S)).strip())
    with errors.status("building the image and starting containers (minutes, the first time)"):
        await _compose(("up", "--detach", "--build", *services), environment, _UP_TIMEOUT_S)
        if was_up:  # it reads its settings only when it starts
            await _compose(("restart", "exporter"), environment, _UP_TIMEOUT_S)
    return parts(settings, with_grafana="grafana" in services)


async def down(settings: Settings, path: Path, errors: Console) -> None:
    """Remove the containers; volumes (measurements, ledger) stay."""
    with errors.status("stopping containers"):
        await _compose(("down", "--remove-orphans"), _environment(settings, path), _UP_TIMEOUT_S)


def parts(settings: Settings, *, with_grafana: bool) -> list[Part]:
    """What is started. Logs are in `docker compose logs`."""
    found = [
        Part("prometheus", settings.stack.prometheus, "/-/ready", "docker compose logs prometheus", reload=True),
        Part("alertmanager", settings.stack.alertmanager, "/-/ready", "docker compose logs alertmanager", reload=True),
        Part("exporter", settings.exporter.listen, "/-/healthy", "docker compose logs exporter"),
        Part("responder", settings.responder.listen, "/-/ready", "docker compose logs responder", reload=True),
    ]
    if with_grafana:
        found.append(Part("grafana", settings.stack.grafana, "/api/health", "docker compose logs grafana"))
    return found


def _environment(settings: Settings, path: Path) -> dict[str, str]:
    rendered = render(settings, _SECRETS_IN_CONTAINER, with_guardian=False)
    return {
        **os.environ,
        "HOMEOSTAT_PROMETHEUS_DIR": str(rendered.prometheus.resolve()),
        "HOMEOSTAT_ALERTMANAGER_DIR": str(rendered.alertmanager.resolve()),
        "HOMEOSTAT_SECRETS_DIR": str(settings.responder.token_files[0].parent.resolve()),
        "HOMEOSTAT_SETTINGS_DIR": str(_settings_folder(settings, path)),
        "HOMEOSTAT_PROMETHEUS": settings.stack.prometheus,
        "HOMEOSTAT_ALERTMANAGER": settings.stack.alertmanager,
        "HOMEOSTAT_GRAFANA_PORT": str(host_port(settings.stack.grafana)[1]),
        "HOMEOSTAT_RETENTION_TIME": f"{round(settings.stack.retention_time)}s",
        "HOMEOSTAT_RETENTION_SIZE": f"{settings.stack.retention_size}B",
    }


def _settings_folder(settings: Settings, path: Path) -> Path:
    """A copy of the settings in a folder of its own: nothing beside the file is shown to containers."""
    folder = settings.state_dir.resolve() / "run" / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / "homeostat.yml")
    return folder


async def _has_grafana(environment: dict[str, str], errors: Console) -> bool:
    """Dashboards are not needed for repair: without the image the rest is started, and that is said."""
    images = await commands.run(
        ("docker", "compose", "-f", str(_FILE), "config", "--images", "grafana"), timeout_s=_QUICK_S, env=environment
    )
    image = next((line for line in images.output.split() if line.startswith("grafana/")), "")
    if not image:
        return False
    there = await commands.run(("docker", "image", "inspect", image), timeout_s=_QUICK_S)
    if there.exit_code == 0:
        return True
    with errors.status(f"getting {image}"):
        pulled = await commands.run(("docker", "pull", "--quiet", image), timeout_s=_PULL_TIMEOUT_S)
    has_image = pulled.exit_code == 0
    if not has_image:
        reason = (pulled.output.strip().splitlines() or ["no answer in time"])[-1]
        errors.print(f"without Grafana: {image} cannot be had: {reason}", style="yellow", markup=False)
    return has_image


async def _compose(arguments: Sequence[str], environment: dict[str, str], timeout_s: float) -> str:
    result = await commands.run(
        ("docker", "compose", "-f", str(_FILE), "--progress", "plain", *arguments), timeout_s=timeout_s, env=environment
    )
    if result.exit_code != 0:
        raise Permanent(f"docker compose {arguments[0]} failed:\n{result.output}")
    return result.output
