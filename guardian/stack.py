"""homeostat itself as supervised processes: what `homeostat up` runs on a host without a container engine."""

import os
import sys
from pathlib import Path

from homeostat.errors import SettingsError
from homeostat.processspec import CheckSpec, ProcessSpec
from homeostat.rendering import render
from homeostat.settings import Settings

#: Where `homeostat up` says the server binaries are.
BIN_VARIABLE = "HOMEOSTAT_BIN"


#: Firing alerts are sent again this often (default 1m): so soon does a restarted Alertmanager know them again, and
#: after four times this a dead Prometheus's alerts end.
RESEND = "--rules.alert.resend-delay=15s"


def stack_processes(settings: Settings, settings_path: Path) -> dict[str, ProcessSpec]:
    """Prometheus, Alertmanager, exporter and responder. Raises SettingsError when a binary is missing."""
    state = settings.state_dir
    rendered = render(settings, str(settings.responder.token_files[0].parent), with_guardian=True)
    stack = settings.stack
    prometheus = (
        _binary("prometheus"),
        f"--config.file={rendered.prometheus / 'prometheus.yml'}",
        f"--storage.tsdb.path={state / 'prometheus'}",
        f"--storage.tsdb.retention.time={round(stack.retention_time)}s",
        f"--storage.tsdb.retention.size={stack.retention_size}B",
        f"--web.listen-address={stack.prometheus}",
        RESEND,
        "--web.enable-lifecycle",  # a second `up` loads changed rules; on loopback only
        "--log.level=warn",
    )
    alertmanager = (
        _binary("alertmanager"),
        f"--config.file={rendered.alertmanager / 'alertmanager.yml'}",
        f"--storage.path={state / 'alertmanager'}",
        f"--web.listen-address={stack.alertmanager}",
        "--cluster.listen-address=",  # one Alertmanager: no gossip port is opened
        "--log.level=warn",
    )
    ours = (sys.executable, "-m")
    given = ("--settings", str(settings_path.resolve()))
    return {
        "prometheus": _process(prometheus, stack.prometheus, "/-/healthy"),
        "alertmanager": _process(alertmanager, stack.alertmanager, "/-/healthy"),
        "exporter": _process((*ours, "exporters", *given), settings.exporter.listen, "/-/healthy"),
        "responder": _process((*ours, "responder", *given), settings.responder.listen, "/-/healthy"),
    }


def _process(command: tuple[str, ...], listen: str, path: str) -> ProcessSpec:
    check = CheckSpec(http=f"http://{listen}{path}", interval=10.0, timeout=5.0)
    # Two malloc arenas keep a threaded Python small; it costs these processes nothing that was measured.
    return ProcessSpec(command=command, restart="always", check=check, env={"MALLOC_ARENA_MAX": "2"})


def _binary(name: str) -> str:
    folder = os.environ.get(BIN_VARIABLE, "")
    path = Path(folder) / name
    if not folder or not path.exists():
        raise SettingsError(
            [f"no {name} in {BIN_VARIABLE}={folder!r}; run scripts/servers, or `homeostat up`, which does"]
        )
    return str(path)
