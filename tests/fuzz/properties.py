"""What must hold of any input, for hypothesis and atheris alike."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from urllib.parse import urlsplit

from yarl import URL

from homeostat import settings as settings_module
from homeostat.clock import SystemClock, rfc3339
from homeostat.directory import resolve_hook, resolve_probe
from homeostat.errors import SettingsError
from homeostat.probes import ProbeContext
from homeostat.probes.http import HttpLook
from homeostat.settings import Settings
from homeostat.workloadlabels import from_labels
from homeostat.workloads import HttpOptions, Kind, PostgresOptions, ProbeSpec, RedisOptions, Workload
from responder.webhook import parse_alert, parse_body

#: One input, on a busy machine.
_WITHIN_S = 5.0
_LONGEST_WORDS = 2000


def check_body(body: bytes) -> None:
    """Of a delivery, or an alert to plan for: alerts that can be kept and shown again, or words for their sender."""
    start = time.monotonic()
    for parse in (parse_body, lambda one: [parse_alert(one)]):
        try:
            alerts = parse(body)
        except ValueError as err:
            assert type(err) is ValueError  # noqa: PT017 - either outcome is right
            _check_words(str(err))
            continue
        for alert in alerts:
            assert re.fullmatch("[0-9a-f]{16}", alert.fingerprint)
            assert rfc3339(alert.starts_at)
            for text in (*alert.labels.items(), *alert.annotations.items()):
                assert json.loads(json.dumps(text).encode()) == list(text)
                assert "".join(text).encode()
    assert time.monotonic() - start < _WITHIN_S


def check_settings(path: Path, content: bytes, environ: Mapping[str, str] | None = None) -> Settings | None:
    """Written to ``path``: settings that can be written down, or words that name the file (or variable), and None."""
    path.write_bytes(content)
    start = time.monotonic()
    try:
        found = settings_module.load(path, environ or {})
    except SettingsError as err:
        found = None
        assert err.problems  # noqa: PT017 - either outcome is right
        for problem in err.problems:
            assert problem.startswith((f"{path}:", settings_module.ENV_PREFIX)), problem
            _check_words(problem)
    assert time.monotonic() - start < _WITHIN_S
    for text in _texts(found):
        assert text.encode() is not None
    return found


def _check_words(words: str) -> None:
    """One line that a terminal or log can show, of a length that somebody reads."""
    assert words.isprintable(), repr(words)
    assert len(words) < _LONGEST_WORDS


def _texts(value: object) -> Iterator[str]:
    """Every text in it, at any depth."""
    match value:
        case str() | Path():
            yield str(value)
        case tuple():
            for each in value:
                yield from _texts(each)
        case Mapping():
            for pair in value.items():
                yield from _texts(pair)
        case _ if is_dataclass(value):
            for each in fields(value):
                yield from _texts(getattr(value, each.name))


# --- Labels of containers

#: A container on a network, as the engine tells it.
ADDRESS = "172.18.0.5"
#: Of what labels may say: neither a program, nor an expression, nor anything that reads a file or fits a pattern.
_KINDS = {"http", "tcp", "dns", "redis", "postgres"}
_REQUEST = re.compile(
    rb"GET [!-~]+ HTTP/1\.1\r\nHost: [!-~]+\r\nUser-Agent: homeostat\r\nAccept: \*/\*\r\nAccept-Encoding: identity\r\n"
    rb"Connection: close\r\n(Authorization: Basic [!-~]+\r\n)?\r\n"
)


def check_labels(labels: Mapping[str, str]) -> Workload | None:
    """Of a container: a workload that is asked only at the places that its labels spell out, or words that name it."""
    start = time.monotonic()
    try:
        workload = from_labels(labels, "shop-web-1").to_workload("shop/web", Kind.CONTAINER)
    except SettingsError as err:
        for problem in err.problems:
            assert problem.startswith("shop-web-1: label homeostat."), problem
            _check_words(problem)
        return None
    assert time.monotonic() - start < _WITHIN_S
    said = [value for label, value in labels.items() if label.startswith("homeostat.")]
    for spec in workload.probes:
        _check_probe(spec, said)
    for hook in workload.hooks.values():
        _check_url(str(resolve_hook(hook, _Container())), hook.url, said)
    if workload.metrics:
        assert workload.metrics in said
    return workload


class _Container:
    """As far as targets are resolved."""

    addresses = (ADDRESS,)


def _check_probe(spec: ProbeSpec, said: list[str]) -> None:
    assert spec.kind in _KINDS
    assert spec.target in said
    match spec.options:
        case HttpOptions():
            assert (spec.options.body, spec.options.ca_file) == ("", None)
        case RedisOptions() | PostgresOptions():
            assert spec.options.password_file is None
            assert getattr(spec.options, "query", "SELECT 1") == "SELECT 1"
    resolved = resolve_probe(spec, _Container())
    assert resolved is not None
    if spec.kind == "http":
        _check_url(resolved.target, spec.target, said)
        _check_request(resolved)
    elif spec.target.startswith(":"):
        assert resolved.target == ADDRESS + spec.target


def _check_url(url: str, written: str, said: list[str]) -> None:
    """It goes where it says to go, by everybody's reading; without a host, to the container."""
    assert written in said
    place = re.match(r"https?://(?:[^/?#@]*@)?([^/:]*)", url)
    assert place is not None
    host = ADDRESS if written.startswith(":") else place[1]
    try:
        read = URL(url).host, urlsplit(url).hostname
    except ValueError:  # it goes nowhere
        return
    assert [_plain(each) for each in read] == [_plain(host)] * 2, (url, read)


def _plain(host: str | None) -> str:
    """As names are compared."""
    text = (host or "").lower()
    try:
        return text.encode("idna").decode()
    except UnicodeError:
        return text


def _check_request(spec: ProbeSpec) -> None:
    """No line of a request comes from a label."""
    try:
        look = HttpLook(spec, ProbeContext(None, SystemClock()))  # type: ignore[arg-type]  # asks nobody
    except ValueError:
        return
    assert _REQUEST.fullmatch(look._request), look._request
