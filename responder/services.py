"""What recoveries work with. Made once at the start; nothing in it knows of one episode."""

from dataclasses import dataclass

from homeostat.alertmanager_api import AlertmanagerClient
from homeostat.clock import Clock
from homeostat.probes import ProbeContext
from homeostat.prometheus_api import PrometheusClient
from responder.actions.base import Tools
from responder.brake import Brake
from responder.ledger import Store
from responder.metrics import Metrics
from responder.quiet import Quiet
from responder.targets import Resolver


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a recovery works with."""

    store: Store
    tools: Tools
    resolver: Resolver
    alertmanager: AlertmanagerClient
    prometheus: PrometheusClient
    probes: ProbeContext
    metrics: Metrics
    brake: Brake
    quiet: Quiet
    clock: Clock
