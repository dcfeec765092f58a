"""The shipped configuration with one's own addresses."""

import shutil
import socket

import pytest
import yaml

from homeostat import settings
from homeostat.errors import SettingsError
from homeostat.rendering import ROOT, render


def rendered(tmp_path, text="", *, with_guardian=True, root=ROOT, secrets="/run/secrets"):
    file = tmp_path / "homeostat.yml"
    file.write_text(text)
    folders = render(settings.load(file, {}), secrets, with_guardian=with_guardian, root=root)
    return (
        yaml.safe_load((folders.prometheus / "prometheus.yml").read_text()),
        yaml.safe_load((folders.alertmanager / "alertmanager.yml").read_text()),
        folders,
    )


def targets(prometheus):
    jobs = prometheus["scrape_configs"]
    return {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs if "static_configs" in job}


@pytest.fixture
def shipped(tmp_path):
    """A copy of what is shipped, to change."""
    root = tmp_path / "shipped"
    for folder in ("prometheus", "alertmanager"):
        shutil.copytree(ROOT / folder, root / folder)
    return root


def change(file, changing):
    config = yaml.safe_load(file.read_text())
    changing(config)
    file.write_text(yaml.safe_dump(config))


def test_addresses_of_the_settings_are_used_everywhere(tmp_path):
    text = """
exporter: {listen: "127.0.0.1:1001"}
responder: {listen: "127.0.0.1:1002"}
stack: {alertmanager: "127.0.0.1:1003"}
"""

    prometheus, alertmanager, _ = rendered(tmp_path, text)

    (webhook,) = next(r for r in alertmanager["receivers"] if r["name"] == "responder")["webhook_configs"]
    (applications,) = [job for job in prometheus["scrape_configs"] if job["job_name"] == "applications"]
    assert targets(prometheus)["homeostat-exporter"] == ["127.0.0.1:1001"]
    assert targets(prometheus)["homeostat-resources"] == ["127.0.0.1:1001"]
    assert [discovery["url"] for discovery in applications["http_sd_configs"]] == ["http://127.0.0.1:1001/discovery"]
    assert prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["127.0.0.1:1003"]
    assert webhook["url"] == "http://127.0.0.1:1002/webhook/alertmanager"
    assert webhook["http_config"]["authorization"]["credentials_file"] == "/run/secrets/webhook-token"


def test_all_else_is_as_shipped(tmp_path):
    prometheus, _, _ = rendered(tmp_path)

    assert prometheus == yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())


def test_rules_lie_beside_the_file_that_names_them(tmp_path):
    _, _, folders = rendered(tmp_path)

    def rules(folder):
        return {file.relative_to(folder): file.read_text() for file in folder.rglob("*.yml")}

    assert rules(folders.prometheus / "rules") == rules(ROOT / "prometheus/rules") != {}


def test_a_rule_that_is_not_shipped_any_more_goes(tmp_path, shipped):
    gone = shipped / "prometheus/rules/alerts/gone.yml"
    gone.write_text("groups: []")
    _, _, folders = rendered(tmp_path, root=shipped)
    was_there = (folders.prometheus / "rules/alerts/gone.yml").exists()
    gone.unlink()

    rendered(tmp_path, root=shipped)

    assert was_there
    assert not (folders.prometheus / "rules/alerts/gone.yml").exists()
    assert (folders.prometheus / "rules/alerts/homeostat.yml").exists()


def test_no_guardian_is_scraped_where_there_is_none(tmp_path):
    prometheus, _, _ = rendered(tmp_path, with_guardian=False)

    assert "homeostat-guardian" not in targets(prometheus)


def test_secrets_of_peoples_receivers_are_found_where_secrets_are(tmp_path, shipped):
    def add_slack(config):
        people = next(receiver for receiver in config["receivers"] if receiver["name"] == "people")
        people["slack_configs"] = [{"api_url_file": "secrets/slack-url"}, {"api_url_file": "/etc/own"}]

    change(shipped / "alertmanager/alertmanager.yml", add_slack)

    _, alertmanager, _ = rendered(tmp_path, root=shipped)

    people = next(receiver for receiver in alertmanager["receivers"] if receiver["name"] == "people")
    assert [slack["api_url_file"] for slack in people["slack_configs"]] == ["/run/secrets/slack-url", "/etc/own"]


def written(tmp_path, remote, **values):
    text = f"stack: {{remote_write: {{url: 'https://keep.example.org/api/v1/write', {remote}}}}}"
    prometheus, _, _ = rendered(tmp_path, text, **values)
    (entry,) = prometheus["remote_write"]
    return entry


def test_nothing_is_sent_anywhere_unless_told(tmp_path):
    prometheus, _, _ = rendered(tmp_path)

    assert "remote_write" not in prometheus


def test_what_is_sent_carries_the_host_and_no_redirect_is_followed(tmp_path):
    entry = written(tmp_path, "")

    keep, host = entry.pop("write_relabel_configs")
    assert entry == {"name": "homeostat", "url": "https://keep.example.org/api/v1/write", "follow_redirects": False}
    assert keep["action"] == "keep"
    assert host == {"target_label": "host", "replacement": socket.gethostname()}


def test_ones_own_storage_is_kept_beside_it(tmp_path, shipped):
    change(shipped / "prometheus/prometheus.yml", lambda config: config.update(remote_write=[{"url": "http://own"}]))
    text = "stack: {remote_write: {url: 'http://127.0.0.1:8428/api/v1/write'}}"

    prometheus, _, _ = rendered(tmp_path, text, root=shipped)

    assert [entry["url"] for entry in prometheus["remote_write"]] == [
        "http://own",
        "http://127.0.0.1:8428/api/v1/write",
    ]


def test_containers_see_credentials_in_their_folder_of_secrets(tmp_path):
    folder = "alertmanager/secrets"

    token = written(tmp_path, f"bearer_token_file: {folder}/storage, ca_file: {folder}/tls/ca.pem")
    password = written(tmp_path, f"username: us, password_file: {folder}/storage")

    assert token["authorization"] == {"credentials_file": "/run/secrets/storage"}
    assert token["tls_config"] == {"ca_file": "/run/secrets/tls/ca.pem"}
    assert password["basic_auth"] == {"username": "us", "password_file": "/run/secrets/storage"}


def test_natively_credentials_may_lie_anywhere(tmp_path):
    natively = str(tmp_path / "alertmanager/secrets")

    entry = written(tmp_path, "bearer_token_file: /etc/homeostat/storage, ca_file: own/ca.pem", secrets=natively)

    assert entry["authorization"] == {"credentials_file": "/etc/homeostat/storage"}
    assert entry["tls_config"] == {"ca_file": str(tmp_path / "own/ca.pem")}


@pytest.mark.parametrize(
    "file",
    ["/etc/homeostat/storage", "alertmanager/storage", "alertmanager/secrets/../storage", "alertmanager/secrets/link"],
)
def test_a_file_that_containers_cannot_see_is_said(tmp_path, file):
    (tmp_path / "alertmanager/secrets").mkdir(parents=True)
    (tmp_path / "alertmanager/secrets/link").symlink_to("/etc/hostname")

    with pytest.raises(SettingsError) as raised:
        written(tmp_path, f"bearer_token_file: {file}")

    assert str(raised.value).startswith("stack.remote_write.bearer_token_file: ")
    assert str(raised.value).endswith(
        f"Prometheus's container sees {tmp_path / 'alertmanager/secrets'} only; put it there"
    )
