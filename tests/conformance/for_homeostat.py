"""Everything that homeostat needs to be the receiver under test, written into a folder: see README.md.

``python -m tests.conformance.for_homeostat FOLDER``
"""

import argparse
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import alertmanager, sink
from tests.conformance.routes import TROUBLE
from tests.conformance.scenarios import WORKLOADS
from tests.conformance.scenarios.muting import TWO_STEPS
from tests.conformance.trouble import METRIC, label_value


@dataclass(frozen=True, slots=True)
class Ports:
    """On loopback; the defaults stand beside a homeostat with its own."""

    responder: int = 9892
    guardian: int = 9891
    prometheus: int = 9890
    alertmanager: int = alertmanager.DEFAULT_PORT
    sink: int = sink.DEFAULT_PORT


def write(folder: Path, ports: Ports) -> None:
    """homeostat.yml, its token, prometheus.yml and rules.yml. All JSON, which is YAML, too."""
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / "webhook-token"
    if not token.exists():
        token.touch(mode=0o600)
        token.write_text(secrets.token_urlsafe(32))
    files = {"homeostat.yml": _settings(ports), "prometheus.yml": _prometheus(ports), "rules.yml": _rules()}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")


def _settings(ports: Ports) -> dict[str, object]:
    # Long enough for the slowest action of the kit; the verification sees a trouble that an action ended.
    step = {"action": "hook", "timeout": "10s", "verify": {"within": "3s", "hold": "500ms"}}
    return {
        "state_dir": "state",
        "docker": {"enabled": False},
        "responder": {
            "listen": f"127.0.0.1:{ports.responder}",
            "token_files": ["webhook-token"],
            "alertmanager_url": f"http://127.0.0.1:{ports.alertmanager}",
            "prometheus_url": f"http://127.0.0.1:{ports.prometheus}",
            # 30 s by default, and the kit waits 15 s for what a delivery does not show.
            "reconcile_interval": "1s",
            # The kit troubles more workloads at once than any host has by chance.
            "storm": {"workloads": 10 * len(WORKLOADS)},
        },
        "guardian": {"listen": f"127.0.0.1:{ports.guardian}"},
        # Something that runs; what is repaired is the trouble that the kit makes up.
        "processes": {name: {"command": ["sleep", "infinity"]} for name in WORKLOADS},
        "workloads": {label_value(name): _workload(name, ports) for name in WORKLOADS},
        "ladders": {
            "conformance": {"steps": [{**step, "hook": "act"}]},
            "conformance_rungs": {"steps": [{**step, "hook": "act"}, {**step, "hook": "act-again"}]},
        },
    }


def _workload(name: str, ports: Ports) -> dict[str, object]:
    act = f"http://127.0.0.1:{ports.sink}/act/{label_value(name)}"
    one = {"enable": True, "start_grace": "0s", "hooks": {"act": act}}
    if name not in TWO_STEPS:
        return one
    return {**one, "hooks": {"act": act, "act-again": f"{act}/again"}, "ladders": {"conformance": "conformance_rungs"}}


def _prometheus(ports: Ports) -> dict[str, object]:
    """Alerts go nowhere: it is the kit that posts them, as a Prometheus would."""
    return {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "400ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {"job_name": "conformance", "static_configs": [{"targets": [f"127.0.0.1:{ports.sink}"]}]},
        ],
    }


def _rules() -> dict[str, object]:
    rules = [
        # homeostat believes a rule only while the workload is measured; its own exporter would say this.
        {"record": "homeostat_process_running", "expr": f"{METRIC} * 0 + 1"},
        {"alert": TROUBLE, "expr": f"{METRIC} == 1", "labels": {"severity": "critical", "remedy": "conformance"}},
    ]
    return {"groups": [{"name": "conformance", "interval": "500ms", "rules": rules}]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.for_homeostat", description=__doc__)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    write(arguments.folder, Ports())
    print(f"written to {arguments.folder}: homeostat.yml, webhook-token, prometheus.yml, rules.yml")


if __name__ == "__main__":
    main()
