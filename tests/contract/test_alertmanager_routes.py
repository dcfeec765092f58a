"""Who gets what, and what mutes what, decided by the real amtool and Alertmanager."""

import json
import subprocess
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.servers

FOLDER = Path(__file__).parents[2] / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"
ROUTES = yaml.safe_load((FOLDER / "tests/routes.yml").read_text())
INHIBITIONS = yaml.safe_load((FOLDER / "tests/inhibitions.yml").read_text())
#: Nobody listens there: what a test's alerts cause goes nowhere.
NOWHERE = "127.0.0.1:1"
#: Alertmanager takes alerts in order, and mutes a little later: once this pair's second is muted, it has seen all.
LAST = [
    {"alertname": "WorkloadDown", "workload": "last/one"},
    {"alertname": "WorkloadMemoryHigh", "workload": "last/one"},
]


def install(folder: Path, text: str) -> Path:
    """The configuration with a token beside it, as it is run."""
    (folder / "secrets").mkdir()
    (folder / "secrets/webhook-token").write_text("a-token-of-the-tests")
    config = folder / "alertmanager.yml"
    config.write_text(text)
    return config


def run(tool: Path, *args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool, *map(str, args)], capture_output=True, text=True, check=False, timeout=30)


def call(url: str, body: object = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as response:
        return response.read()


@pytest.fixture
def alertmanager(servers, tmp_path, free_port):
    """The URL of an Alertmanager that runs the shipped configuration."""
    config = install(tmp_path, CONFIG.read_text().replace("127.0.0.1:9802", NOWHERE))
    listen = f"127.0.0.1:{free_port()}"
    options = [f"--config.file={config}", f"--storage.path={tmp_path}/data", "--cluster.listen-address="]
    command = [servers["alertmanager"], *options, f"--web.listen-address={listen}"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until_ready(f"http://{listen}")
            yield f"http://{listen}"
        finally:
            process.kill()


def wait_until_ready(url: str) -> None:
    for _ in range(200):
        try:
            call(f"{url}/-/ready")
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"no Alertmanager answers at {url}")


def settled_alerts(url: str) -> list[dict]:
    """The alerts it holds, but for the last pair, when it has decided about all of them."""
    for _ in range(200):
        held = json.loads(call(f"{url}/api/v2/alerts"))
        if any(alert["labels"] == LAST[1] and alert["status"]["inhibitedBy"] for alert in held):
            return [alert for alert in held if alert["labels"] not in LAST]
        time.sleep(0.02)
    pytest.fail("Alertmanager never muted the last pair")


def test_the_configuration_is_valid(servers, tmp_path):
    result = run(servers["amtool"], "check-config", install(tmp_path, CONFIG.read_text()))

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_receivers_for_people_are_ready_to_be_uncommented(servers, tmp_path):
    text, people = CONFIG.read_text().split("  - name: people\n")
    blocks = people.replace("  # ", "  ")
    config = install(tmp_path, f"{text}  - name: people\n{blocks}")

    result = run(servers["amtool"], "check-config", config)

    assert result.returncode == 0, result.stdout + result.stderr
    assert set(yaml.safe_load(textwrap.dedent(blocks))) == {
        "email_configs",
        "slack_configs",
        "pagerduty_configs",
        "webhook_configs",
    }


@pytest.mark.parametrize("case", ROUTES, ids=lambda case: case["name"])
def test_an_alert_reaches_its_receiver(case, servers):
    labels = [f'{name}="{value}"' for name, value in case["labels"].items()]
    expected = f"--verify.receivers={case['receiver']}"

    result = run(servers["amtool"], "config", "routes", "test", f"--config.file={CONFIG}", expected, *labels)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("case", INHIBITIONS, ids=lambda case: case["name"])
def test_an_alert_mutes_what_it_explains_and_nothing_else(case, alertmanager):
    call(f"{alertmanager}/api/v2/alerts", [{"labels": labels} for labels in [*case["firing"], *LAST]])

    held = settled_alerts(alertmanager)

    muted = [alert["labels"]["alertname"] for alert in held if alert["status"]["inhibitedBy"]]
    assert len(held) == len(case["firing"])
    assert sorted(muted) == sorted(case["muted"])
