"""Prometheus's and Alertmanager's shipped configuration with this installation's addresses, into the state folder.

The shipped files are valid as they stand; ``listen`` values and paths that differ are replaced, and maintenance windows
added.
"""

import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from homeostat.errors import SettingsError
from homeostat.remote_write import Secrets, remote_write
from homeostat.settings import Settings
from homeostat.windowroutes import mute_windows

#: The checkout that this code runs from: the shipped configuration lies beside the packages.
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Folders with ``prometheus.yml`` (and its rules) and ``alertmanager.yml``."""

    prometheus: Path
    alertmanager: Path


def render(settings: Settings, secrets: str, *, with_guardian: bool, root: Path = ROOT) -> Rendered:
    """Write both. ``secrets``: where the servers see the folder of the webhook's token, which also has what people's
    receivers and remote_write need; ``secrets/NAME`` of the shipped file is looked for there. Raises SettingsError.

    ``with_guardian``: whether there is one to scrape; containers are kept by the engine.
    """
    run = settings.state_dir / "run"
    rendered = Rendered(run / "prometheus", run / "alertmanager")
    for folder in (rendered.prometheus, rendered.alertmanager):
        folder.mkdir(parents=True, exist_ok=True)
    _copy_rules(_shipped(root / "prometheus/rules"), rendered.prometheus / "rules")
    prometheus = _prometheus(_load(root / "prometheus/prometheus.yml"), settings, with_guardian=with_guardian)
    if remote := settings.stack.remote_write:
        seen = Secrets(settings.responder.token_files[0].parent, secrets)
        entry = remote_write(remote, socket.gethostname(), seen)
        prometheus["remote_write"] = [*prometheus.get("remote_write", []), entry]
    _write(rendered.prometheus / "prometheus.yml", prometheus)
    alertmanager = _alertmanager(_load(root / "alertmanager/alertmanager.yml"), settings, secrets)
    _write(rendered.alertmanager / "alertmanager.yml", alertmanager)
    return rendered


def _copy_rules(source: Path, target: Path) -> None:
    """Rules that are not shipped any more go; at no time is one missing that Prometheus may just be reading."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for copied in target.rglob("*.yml"):
        if not (source / copied.relative_to(target)).exists():
            copied.unlink()


def _prometheus(config: dict[str, Any], settings: Settings, *, with_guardian: bool) -> dict[str, Any]:
    jobs = config["scrape_configs"]
    config["scrape_configs"] = [job for job in jobs if with_guardian or job["job_name"] != "homeostat-guardian"]
    listens = {
        "homeostat-exporter": settings.exporter.listen,
        "homeostat-resources": settings.exporter.listen,
        "homeostat-responder": settings.responder.listen,
        "homeostat-guardian": settings.guardian.listen,
        "prometheus": settings.stack.prometheus,
        "alertmanager": settings.stack.alertmanager,
    }
    for job in config["scrape_configs"]:
        if job["job_name"] in listens:
            job["static_configs"] = [{"targets": [listens[job["job_name"]]]}]
        if job["job_name"] == "applications":
            job["http_sd_configs"][0]["url"] = f"http://{settings.exporter.listen}/discovery"
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [settings.stack.alertmanager]}]}]
    return config


def _alertmanager(config: dict[str, Any], settings: Settings, secrets: str) -> dict[str, Any]:
    _relocate(config, secrets)
    mute_windows(config, settings.responder.maintenance)
    for receiver in config["receivers"]:
        if receiver["name"] == "responder":
            for webhook in receiver["webhook_configs"]:
                webhook["url"] = f"http://{settings.responder.listen}/webhook/alertmanager"
                token = f"{secrets}/{settings.responder.token_files[0].name}"
                webhook["http_config"]["authorization"]["credentials_file"] = token
    return config


def _relocate(node: object, secrets: str) -> None:
    """Alertmanager takes a relative file from its own folder, which the rendered one is not any more."""
    if isinstance(node, list):
        for item in node:
            _relocate(item, secrets)
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key.endswith("_file") and value.startswith("secrets/"):
                node[key] = f"{secrets}/{value.removeprefix('secrets/')}"
            _relocate(value, secrets)


def _shipped(path: Path) -> Path:
    if not path.exists():
        raise SettingsError([f"{path}: missing; run homeostat from a checkout that has its configuration"])
    return path


def _load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(_shipped(path).read_text())
    return data


def _write(path: Path, config: Mapping[str, Any]) -> None:
    path.write_text(
        "# Made by `homeostat up` from the shipped file; edit that one.\n" + yaml.safe_dump(config, sort_keys=False)
    )
