"""What the kit saw from outside while it played one scenario. Plain data, for the judges.

Times are seconds on one monotonic clock. Workloads are named as in the scenarios, without the label's ``local/``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SeenAlert:
    """One of a delivery's ``alerts[]``. ``starts_at``, ``ends_at``: as they were written."""

    workload: str
    status: str
    fingerprint: str
    starts_at: str
    ends_at: str

    @property
    def is_firing(self) -> bool:
        return self.status == "firing"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification that reached the receiver.

    ``at``: when it was passed on to the receiver. ``sender``: the Alertmanager's externalURL. ``status``,
    ``truncated``: the payload's own. ``answer``: the receiver's HTTP status, None when it gave none. ``took_s``: until
    that answer, without the delays that the kit made. ``body``: to send it again.
    """

    at: float
    sender: str
    group_key: str
    status: str
    truncated: int
    alerts: tuple[SeenAlert, ...]
    answer: int | None
    took_s: float
    body: bytes = field(default=b"", repr=False)

    @property
    def is_accepted(self) -> bool:
        return self.answer is not None and 200 <= self.answer < 300

    def of(self, workload: str) -> SeenAlert | None:
        """The alert of a workload in it, if it is in it."""
        return next((alert for alert in self.alerts if alert.workload == workload), None)


@dataclass(frozen=True, slots=True)
class Action:
    """The receiver acted on a workload: one POST to the action sink."""

    at: float
    workload: str
    path: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What the receiver's ledger said of one recovery, from ``at`` on."""

    at: float
    workload: str
    recovery: int
    final: str | None
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Observations:
    """``marks``: when the kit did something that a judge counts from. ``claims``: None where no ledger is read."""

    deliveries: Sequence[Delivery] = ()
    actions: Sequence[Action] = ()
    marks: Mapping[str, float] = field(default_factory=dict)
    claims: Sequence[Claim] | None = None

    def actions_on(self, workload: str, since: str = "", until: str = "") -> list[Action]:
        """Between two marks; an empty one stands for the beginning or the end."""
        start = self.marks[since] if since else float("-inf")
        end = self.marks[until] if until else float("inf")
        return [action for action in self.actions if action.workload == workload and start <= action.at < end]

    def deliveries_of(self, workload: str, *, firing: bool | None = None) -> list[Delivery]:
        """Those that carry the workload's alert; with ``firing``, only where it is firing, or resolved."""
        found = [(delivery, delivery.of(workload)) for delivery in self.deliveries]
        return [each for each, alert in found if alert is not None and firing in (None, alert.is_firing)]
