"""What the probes from outside saw last, and how often and how fast they were answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from exporters.probetally import BOUNDS_S, Tally
from exporters.probing import Observation, ProbeKey, Prober
from exporters.sources import Sources
from homeostat import names
from homeostat.families import Family, Metric, buckets, counter, gauge, histogram, labels, with_label
from homeostat.probes.model import HttpMeasured, ProbeResult

_OWN = (names.WORKLOAD, names.CONTAINER, names.PROBE)
_SUCCESS = gauge(
    names.PROBE_SUCCESS,
    "Whether the last check was good. Absent while checks cannot be made, which says nothing about the target, and "
    "while a database that a liveness probe goes to says that it is still starting.",
    *_OWN,
    "role",
)
_HEALTHY = gauge(
    names.PROBE_HEALTHY,
    "Whether the target is taken for good, after the probe's thresholds: so many failures or successes in a row. "
    "The first result decides at once. Absent where the success is.",
    *_OWN,
    "role",
)
_TIMESTAMP = gauge(names.PROBE_TIMESTAMP, "When the last check ended.", *_OWN)
_LAST_DURATION = gauge(names.PROBE_LAST_DURATION, "How long the last check took.", *_OWN)
_DURATION = histogram(
    names.PROBE_DURATION, "How long checks took, good and bad ones, since the probe was planned.", *_OWN
)
_CHECKS = counter("homeostat_probe_checks_total", "Checks run, whatever came of them.", *_OWN)
_FAILURES = counter("homeostat_probe_failures_total", "Checks that found the target bad.", *_OWN)
_ERRORS = counter(
    "homeostat_probe_errors_total",
    "Checks without a verdict: those that could not be made for a reason on this side (no descriptors left, a password "
    "file that cannot be read, credentials refused, a Prometheus that does not answer), and liveness checks of a "
    "database that is still starting.",
    *_OWN,
)
_INFO = gauge(
    "homeostat_probe_info",
    "The probe's kind and role, and why its last check was not good.",
    *_OWN,
    "kind",
    "role",
    "reason",
)
_STATUS = gauge("homeostat_probe_http_status_code", "The status of the last answer.", *_OWN)
_PHASE = gauge(
    "homeostat_probe_http_phase_seconds",
    "How long the last answered check took to resolve the name, to connect, for TLS, until the first byte of the "
    "answer (processing), and until the end of what is read of it (transfer).",
    *_OWN,
    "phase",
)
_TLS_EXPIRY = gauge(
    "homeostat_probe_tls_expiry_timestamp_seconds",
    "When the server's own certificate expires: of the last one that was accepted, as an expired one is not.",
    *_OWN,
)
METRICS: tuple[Metric, ...] = (
    _SUCCESS,
    _HEALTHY,
    _TIMESTAMP,
    _LAST_DURATION,
    _DURATION,
    _CHECKS,
    _FAILURES,
    _ERRORS,
    _INFO,
    _STATUS,
    _PHASE,
    _TLS_EXPIRY,
)


def make(sources: Sources) -> "ProbesCollector":
    return ProbesCollector(sources.prober)


@dataclass(frozen=True, slots=True)
class ProbesCollector:
    """The last result of every probe. Fails when probes stand still: an old result must not pass for a new one."""

    prober: Prober

    @property
    def name(self) -> str:
        return "probes"

    async def collect(self) -> list[Family]:
        families = {metric: metric.family() for metric in METRICS}
        for key, observation in self.prober.observations().items():
            if observation.result is not None:
                pairs = label_pairs(key)
                own = labels(pairs)
                _add_verdict(families, own, observation, observation.result)
                _add_tally(families, own, observation.tally)
                _add_times(families[_DURATION], pairs, observation.tally)
                if isinstance(observation.result.measured, HttpMeasured):
                    _add_http(families, own, observation.result.measured)
        return list(families.values())


def label_pairs(key: ProbeKey) -> dict[str, str]:
    """Without ``container`` when the probe goes to none."""
    one_container = {names.CONTAINER: key.container} if key.container else {}
    return {names.WORKLOAD: key.workload, **one_container, names.PROBE: key.probe}


def _add_verdict(families: Mapping[Metric, Family], own: str, observation: Observation, result: ProbeResult) -> None:
    spec = observation.spec
    with_role = with_label(own, "role", spec.role.value)
    if result.ok is not None:
        families[_SUCCESS].add(with_role, result.ok)
    if observation.healthy is not None:
        families[_HEALTHY].add(with_role, observation.healthy)
    families[_TIMESTAMP].add(own, observation.at)
    families[_LAST_DURATION].add(own, result.seconds)
    families[_INFO].add(with_label(with_label(with_role, "kind", spec.kind), "reason", result.reason), 1)


def _add_tally(families: Mapping[Metric, Family], own: str, tally: Tally) -> None:
    families[_CHECKS].add(own, tally.checks)
    families[_FAILURES].add(own, tally.failures)
    families[_ERRORS].add(own, tally.errors)
    if tally.tls_expires_at is not None:
        families[_TLS_EXPIRY].add(own, tally.tls_expires_at)


def _add_times(duration: Family, pairs: Mapping[str, str], tally: Tally) -> None:
    duration.samples += buckets(pairs, dict(zip(BOUNDS_S, tally.counts, strict=True)), tally.seconds)


def _add_http(families: Mapping[Metric, Family], own: str, measured: HttpMeasured) -> None:
    families[_STATUS].add(own, measured.status)
    for phase, seconds in measured.phases.items():
        families[_PHASE].add(with_label(own, "phase", phase), seconds)
