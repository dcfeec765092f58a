"""The shipped configuration with one's own addresses."""

import shutil

import yaml

from homeostat import settings
from homeostat.rendering import ROOT, render


def rendered(tmp_path, text="", *, with_guardian=True, root=ROOT):
    file = tmp_path / "homeostat.yml"
    file.write_text(text)
    folders = render(settings.load(file, {}), "/run/secrets", with_guardian=with_guardian, root=root)
    return (
        yaml.safe_load((folders.prometheus / "prometheus.yml").read_text()),
        yaml.safe_load((folders.alertmanager / "alertmanager.yml").read_text()),
        folders,
    )


def targets(prometheus):
    return {job["job_name"]: job["static_configs"][0]["targets"] for job in prometheus["scrape_configs"]}


def test_addresses_of_the_settings_are_used_everywhere(tmp_path):
    text = """
exporter: {listen: "127.0.0.1:1001"}
responder: {listen: "127.0.0.1:1002"}
stack: {alertmanager: "127.0.0.1:1003"}
"""

    prometheus, alertmanager, _ = rendered(tmp_path, text)

    (webhook,) = next(r for r in alertmanager["receivers"] if r["name"] == "responder")["webhook_configs"]
    assert targets(prometheus)["homeostat-exporter"] == ["127.0.0.1:1001"]
    assert prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["127.0.0.1:1003"]
    assert webhook["url"] == "http://127.0.0.1:1002/webhook/alertmanager"
    assert webhook["http_config"]["authorization"]["credentials_file"] == "/run/secrets/webhook-token"


def test_rules_lie_beside_the_file_that_names_them(tmp_path):
    _, _, folders = rendered(tmp_path)

    assert sorted(path.name for path in (folders.prometheus / "rules/alerts").iterdir()) == sorted(
        path.name for path in (ROOT / "prometheus/rules/alerts").iterdir()
    )


def test_no_guardian_is_scraped_where_there_is_none(tmp_path):
    prometheus, _, _ = rendered(tmp_path, with_guardian=False)

    assert "homeostat-guardian" not in targets(prometheus)


def test_secrets_of_peoples_receivers_are_found_where_secrets_are(tmp_path):
    root = tmp_path / "shipped"
    for folder in ("prometheus", "alertmanager"):
        shutil.copytree(ROOT / folder, root / folder)
    file = root / "alertmanager/alertmanager.yml"
    config = yaml.safe_load(file.read_text())
    people = next(receiver for receiver in config["receivers"] if receiver["name"] == "people")
    people["slack_configs"] = [{"api_url_file": "secrets/slack-url"}, {"api_url_file": "/etc/own"}]
    file.write_text(yaml.safe_dump(config))

    _, alertmanager, _ = rendered(tmp_path, root=root)

    people = next(receiver for receiver in alertmanager["receivers"] if receiver["name"] == "people")
    assert [slack["api_url_file"] for slack in people["slack_configs"]] == ["/run/secrets/slack-url", "/etc/own"]
