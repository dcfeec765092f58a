"""Prometheus's ``remote_write`` section: measurements for a storage that keeps them longer than this host does.

What is sent, and why: docs/storage.md.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeostat.errors import SettingsError
from homeostat.sections import RemoteWrite

#: What is worth keeping for years: our measurements, recording rules (they have a colon), alerts, applications' own
#: signals. Not what Prometheus and Alertmanager tell of themselves, which is most of the series of a small host.
KEPT = "up|ALERTS|homeostat_.+|app_.+|.+:.+"
#: As `remote_name` in Prometheus's metrics about the sending, and so in RemoteWriteFailing.
NAME = "homeostat"


@dataclass(frozen=True, slots=True)
class Secrets:
    """A folder of this host, and where Prometheus sees it; natively that is the same."""

    local: Path
    seen: str

    def path(self, key: str, file: Path) -> str:
        """``file`` as Prometheus names it. Raises SettingsError for one that it cannot see."""
        if self.seen == str(self.local):
            return str(file)
        real, folder = file.resolve(), self.local.resolve()
        if not real.is_relative_to(folder):  # also by a link that leads out
            problem = f"{file}: Prometheus's container sees {self.local} only; put it there"
            raise SettingsError([f"stack.remote_write.{key}: {problem}"])
        return f"{self.seen}/{real.relative_to(folder).as_posix()}"


def remote_write(remote: RemoteWrite, host: str, secrets: Secrets) -> dict[str, Any]:
    """One entry of ``remote_write``. Raises SettingsError.

    ``host`` becomes a label of all that is sent, as hosts that write to one storage have equal instances and jobs. It
    is no external label: that would be part of every alert.
    """
    entry: dict[str, Any] = {
        "name": NAME,
        "url": remote.url,
        # A redirect would carry the credentials to wherever it points.
        "follow_redirects": False,
        "write_relabel_configs": [
            {"source_labels": ["__name__"], "regex": KEPT, "action": "keep"},
            {"target_label": "host", "replacement": host.replace("$", "$$")},
        ],
    }
    if remote.bearer_token_file:
        entry["authorization"] = {"credentials_file": secrets.path("bearer_token_file", remote.bearer_token_file)}
    if remote.username and remote.password_file:
        password = secrets.path("password_file", remote.password_file)
        entry["basic_auth"] = {"username": remote.username, "password_file": password}
    if remote.ca_file:
        entry["tls_config"] = {"ca_file": secrets.path("ca_file", remote.ca_file)}
    return entry
