"""Managed configuration files: whether each is what it should be, and why not. Never a value of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from exporters.configreaders import ConfigReaders, Reader
from exporters.configwatch import ConfigWatch, Report
from exporters.sources import Sources
from homeostat import names
from homeostat.configfiles.integrity import Integrity, State
from homeostat.families import Family, Metric, gauge, labels, with_label
from homeostat.workloads import FILES

_OWN = (names.WORKLOAD, names.FILE)

_DAMAGED = gauge(
    names.CONFIG_DAMAGED,
    "1 when the file is missing, not of its format, against its schema or its rules, or open to others: its last good "
    "version is to be put back. A file that is being changed is judged when it has been still for a while.",
    *_OWN,
)
_DRIFTED = gauge(names.CONFIG_DRIFTED, "1 when it is valid, and not the version that was accepted last.", *_OWN)
_PARSED = gauge("homeostat_config_file_parse_success", "1 when it is of its format.", *_OWN)
_VALID = gauge("homeostat_config_file_schema_valid", "1 when its schema and its rules say nothing against it.", *_OWN)
_MODE = gauge("homeostat_config_file_mode_allowed", "1 when its mode lets nobody in who is not allowed.", *_OWN)
_VIOLATIONS = gauge("homeostat_config_file_violations", "What is wrong with it, by rule.", *_OWN, "rule")
_CHANGED = gauge("homeostat_config_file_last_change_timestamp_seconds", "When it was last changed.", *_OWN)
_GOOD = gauge("homeostat_config_file_last_good_timestamp_seconds", "When its last good version was accepted.", *_OWN)
_INFO = gauge(
    "homeostat_config_file_last_good_info",
    "Its last good version: the number, and the hash's beginning.",
    *_OWN,
    "version",
    "sha256",
)
_VERSIONS = gauge("homeostat_config_file_versions", "Versions that are kept of it.", *_OWN)
_CURRENT = gauge(
    "homeostat_config_file_check_success",
    "1 when it could be checked; 0 when its schema is broken or its versions cannot be read: the rest is old then.",
    *_OWN,
)
_TOOK = gauge("homeostat_config_file_check_duration_seconds", "How long its last check took.", *_OWN)

_READER = (names.WORKLOAD, names.CONTAINER, names.FILE)
_OUTDATED = gauge(
    names.CONFIG_OUTDATED,
    "1 when it started while the file was damaged, and does not read it again by itself. The container is empty for a "
    "supervised process.",
    *_READER,
)
_STALE = gauge(
    "homeostat_config_file_stale_in_container",
    "1 when the container sees another file than the host: one that is mounted by itself and was replaced.",
    *_READER,
)
_REDEPLOY = gauge(
    "homeostat_config_file_needs_redeploy",
    "1 when docker compose would make the container anew by now: what was changed in its files is not in force.",
    *_READER,
)

METRICS: tuple[Metric, ...] = (
    _DAMAGED,
    _DRIFTED,
    _PARSED,
    _VALID,
    _MODE,
    _VIOLATIONS,
    _CHANGED,
    _GOOD,
    _INFO,
    _VERSIONS,
    _CURRENT,
    _TOOK,
    _OUTDATED,
    _STALE,
    _REDEPLOY,
)
_HASH_SHOWN = 12


def make(sources: Sources) -> "ConfigCollector | None":
    return ConfigCollector(sources.config, sources.config_readers) if sources.config is not None else None


@dataclass(frozen=True, slots=True)
class ConfigCollector:
    """Of the last round: this looks at no file. Fails when rounds stand still."""

    watch: ConfigWatch
    readers: ConfigReaders | None = None

    @property
    def name(self) -> str:
        return "config"

    async def collect(self) -> list[Family]:
        found = {metric: metric.family() for metric in METRICS}
        for report in self.watch.reports():
            for metric, labels_, value in _samples(report):
                found[metric].add(labels_, value)
        for reader in self.readers.readers() if self.readers is not None else ():
            for metric, labels_, value in _of_reader(reader):
                found[metric].add(labels_, value)
        return list(found.values())


_Sample = tuple[Metric, str, float]


def _samples(report: Report) -> Iterator[_Sample]:
    own = labels({names.WORKLOAD: f"{FILES}/{report.name}", names.FILE: report.name})
    yield _CURRENT, own, report.is_current
    if report.integrity is None:
        return
    yield from _integrity(own, report.integrity)
    if report.changed_at is not None:
        yield _CHANGED, own, report.changed_at
    yield _VERSIONS, own, report.versions
    yield _TOOK, own, report.took_s
    if report.last_good is not None:
        yield _GOOD, own, report.last_good.at
        version = with_label(own, "version", str(report.last_good.number))
        yield _INFO, with_label(version, "sha256", report.last_good.digest[:_HASH_SHOWN]), 1


def _of_reader(reader: Reader) -> Iterator[_Sample]:
    own = labels({names.WORKLOAD: reader.workload, names.CONTAINER: reader.container, names.FILE: reader.file})
    told = ((_OUTDATED, reader.is_outdated), (_STALE, reader.is_stale), (_REDEPLOY, reader.needs_redeploy))
    for metric, value in told:
        if value is not None:
            yield metric, own, value


def _integrity(own: str, integrity: Integrity) -> Iterator[_Sample]:
    yield _DAMAGED, own, integrity.state is State.DAMAGED
    yield _DRIFTED, own, integrity.state is State.CHANGED
    yield _PARSED, own, integrity.is_parsed
    yield _VALID, own, integrity.is_schema_valid
    yield _MODE, own, integrity.is_mode_allowed
    rules = [flaw.rule for flaw in integrity.flaws]
    for rule in dict.fromkeys(rules):
        yield _VIOLATIONS, with_label(own, "rule", rule), rules.count(rule)
