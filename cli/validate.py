"""``homeostat check``: settings, labels, rules and routes together; they are only right with each other."""

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

from homeostat import commands, directory, names, settings
from homeostat.containers import DockerEngine
from homeostat.errors import SettingsError, Unreachable
from homeostat.rendering import ROOT, Rendered, render
from homeostat.settings import Settings

_TOOL_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Alert:
    """One alerting rule, as far as it must fit routes and ladders."""

    file: str
    name: str
    labels: Mapping[str, str]

    @property
    def remedy(self) -> str:
        return self.labels.get(names.REMEDY, "")


async def check(path: Path, console: Console) -> None:
    """Print what was looked at. Raises SettingsError with every problem found."""
    loaded = settings.load(path)
    console.print(f"{path}: good")
    problems = await _labels(loaded, console)
    # Not where `homeostat up` renders: what runs there may be of another mode.
    with tempfile.TemporaryDirectory(prefix="homeostat-check-") as folder:
        await _check_servers(loaded, Path(folder), problems, console)


async def _check_servers(loaded: Settings, folder: Path, problems: list[str], console: Console) -> None:
    """Prometheus's and Alertmanager's files as they would be used, and the ladders that their rules name."""
    elsewhere = dataclasses.replace(loaded, state_dir=folder)
    rendered = render(elsewhere, str(loaded.responder.token_files[0].parent), with_guardian=True, root=ROOT)
    problems += await _tools(rendered, console)
    alerts = _alerts(rendered)
    problems += _remedies(alerts, loaded) + await _routes(rendered, alerts)
    if problems:
        raise SettingsError(problems)
    for warning in _warnings(rendered):
        console.print(warning, style="yellow", markup=False)
    console.print("rules, routes and ladders fit together")


async def _labels(loaded: Settings, console: Console) -> list[str]:
    if loaded.docker.enabled is False:
        return []
    engine = DockerEngine(loaded.docker.host)
    try:
        workloads, problems = directory.describe_all(await engine.list(), loaded)
    except Unreachable as err:
        if loaded.docker.enabled is True:
            return [f"docker.enabled: true, but {err}"]
        console.print("labels: no container engine answers, so none were looked at", style="yellow")
        return []
    finally:
        await engine.close()
    enabled = sum(1 for workload in workloads if workload.enabled)
    console.print(f"workloads: {len(workloads)}, {enabled} of them may be repaired")
    return problems


async def _tools(rendered: Rendered, console: Console) -> list[str]:
    """promtool and amtool on what `homeostat up` would run; said when they are missing."""
    checks = (
        ("promtool", ("check", "config", str(rendered.prometheus / "prometheus.yml"))),
        ("amtool", ("check-config", str(rendered.alertmanager / "alertmanager.yml"))),
    )
    problems: list[str] = []
    for tool, arguments in checks:
        binary = _find(tool)
        if binary is None:
            console.print(f"{tool}: not found, so its check is left out; scripts/servers gets it", style="yellow")
            continue
        result = await commands.run((binary, *arguments), timeout_s=_TOOL_TIMEOUT_S)
        if result.exit_code != 0:
            problems.append(f"{tool}: {result.output.strip()}")
    return problems


def _find(tool: str) -> str | None:
    cache = (
        os.environ.get("HOMEOSTAT_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'}/homeostat"
    )
    return shutil.which(tool, path=os.pathsep.join((f"{cache}/bin", os.environ.get("PATH", ""))))


def _alerts(rendered: Rendered) -> list[_Alert]:
    found = []
    for file in sorted((rendered.prometheus / "rules").glob("*/*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            rules = [rule for rule in group["rules"] if "alert" in rule]
            found += [_Alert(file.name, rule["alert"], rule.get("labels", {})) for rule in rules]
    return found


def _remedies(alerts: Sequence[_Alert], loaded: Settings) -> list[str]:
    """Every remedy that a rule names must have a ladder."""
    known = ", ".join(sorted(loaded.all_ladders()))
    return [
        f"{alert.file}: alert {alert.name}: no ladder for remedy {alert.remedy!r}; allowed: {known}"
        for alert in alerts
        if alert.remedy and loaded.ladder(alert.remedy, {}) is None
    ]


async def _routes(rendered: Rendered, alerts: Sequence[_Alert]) -> list[str]:
    """What has a remedy must reach the responder; what has none must reach people, or nobody hears of it."""
    amtool = _find("amtool")
    if amtool is None:
        return []
    problems = []
    for alert in alerts:
        labels = {**alert.labels, "alertname": alert.name, names.WORKLOAD: "project/name"}
        config = f"--config.file={rendered.alertmanager / 'alertmanager.yml'}"
        command = (amtool, "config", "routes", "test", config, *(f"{k}={v}" for k, v in labels.items()))
        output = (await commands.run(command, timeout_s=_TOOL_TIMEOUT_S)).output.strip()
        receivers = output.splitlines()[-1].split(",") if output else []  # warnings come before
        for_us = bool(alert.remedy) or alert.name == names.ALERT_DEAD_MAN
        if for_us != ("responder" in receivers):
            wanted = "the responder" if for_us else "people"
            problems.append(
                f"alertmanager.yml: alert {alert.name} goes to {', '.join(receivers)}; it must reach {wanted}"
            )
    return problems


def _warnings(rendered: Rendered) -> list[str]:
    config: dict[str, list[dict[str, object]]] = yaml.safe_load(
        (rendered.alertmanager / "alertmanager.yml").read_text()
    )
    if {"name": "people"} in config["receivers"]:
        return ["nobody is told: the receiver `people` in alertmanager/alertmanager.yml sends nowhere yet"]
    return []
