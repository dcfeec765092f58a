"""What Alertmanager tells of the notifications that it sends: by which integrations they arrive, or why they do not.

Source: metrics and RetryStage of Alertmanager's notify package, 0.25 to 0.33. ``notifications_total`` counts what was
begun, so arrival is read from requests: those made, less those that failed. ``reason`` is there since 0.26;
``receiver_name`` since 0.27, and only with the feature `receiver-name-in-metrics`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

_PREFIX = "alertmanager_notification"
_MADE = f"{_PREFIX}_requests_total"
_FAILED = f"{_PREFIX}_requests_failed_total"
_GIVEN_UP = f"{_PREFIX}s_failed_total"
_WANTED = tuple(f"{name}{{" for name in (_MADE, _FAILED, _GIVEN_UP))
#: The receiver of the shipped routes that is the responder itself.
OURS = "responder"
#: The integration of that receiver.
_WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Count:
    """One counter. ``receiver``: None where Alertmanager does not tell it; ``reason``: of what was given up."""

    name: str
    integration: str
    receiver: str | None
    reason: str
    value: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Alertmanager's counters, and how many deliveries had come to our own webhook by then and one reading before: what
    has just arrived here may be counted there only in the next reading.
    """

    counts: tuple[Count, ...]
    ours: float
    ours_before: float

    @property
    def is_quiet(self) -> bool:
        """Nothing was on its way to us: what had arrived here was counted there, too."""
        return self.ours == self.ours_before

    @property
    def tells_receivers(self) -> bool:
        """Whether it counts by receiver, not only by integration."""
        return any(count.receiver is not None for count in self.counts)


def read_counts(page: str) -> tuple[Count, ...]:
    """From Alertmanager's /metrics. Raises ValueError when it is none."""
    wanted = "\n".join(line for line in page.splitlines() if line.startswith(_WANTED))
    if not wanted:
        raise ValueError("its metrics have no counts of notifications")
    return tuple(
        Count(
            name=sample.name,
            integration=sample.labels.get("integration", ""),
            receiver=sample.labels.get("receiver_name"),
            reason=sample.labels.get("reason", ""),
            value=sample.value,
        )
        for family in text_string_to_metric_families(wanted + "\n")
        for sample in family.samples
    )


def integrations(config: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Receiver -> what it sends by, e.g. ``email`` and ``webhook``, from Alertmanager's own configuration."""
    return {
        receiver["name"]: frozenset(
            key.removesuffix("_configs") for key, value in receiver.items() if _sends(key, value)
        )
        for receiver in config.get("receivers") or ()
    }


def _sends(key: str, value: object) -> bool:
    return key.endswith("_configs") and bool(value)


@dataclass(slots=True)
class Watch:
    """Readings in a row -> by which of the ``expected`` integrations something has gone to ``receivers``."""

    receivers: Collection[str]
    expected: Collection[str]
    first: Reading
    reached: set[str] = field(default_factory=set)
    #: Integration -> Alertmanager's reason; it does not try again.
    failed: dict[str, str] = field(default_factory=dict)
    _earlier: Reading = field(init=False)
    _suspected: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._earlier = self.first

    @property
    def is_settled(self) -> bool:
        """Nothing more will happen."""
        return set(self.expected) <= self.reached | self.failed.keys()

    def look(self, now: Reading) -> None:
        """Take in the next reading. What has arrived must still have arrived at the next look: a request that fails is
        counted as made a moment before it is counted as failed.
        """
        found = set(self._arrived(now))
        self.reached |= found & self._suspected
        self.failed |= {name: self._reason(name, now) for name in self._risen(self._earlier, now, _GIVEN_UP)}
        self._suspected = found - self.reached
        if now.is_quiet and not self._suspected:
            self._earlier = now

    def still_trying(self, now: Reading) -> dict[str, int]:
        """Integration -> failed requests, of those that have neither arrived nor been given up."""
        failed = self._risen(self.first, now, _FAILED)
        return {name: round(rise) for name, rise in failed.items() if name not in self.reached | self.failed.keys()}

    def _arrived(self, now: Reading) -> Iterator[str]:
        made, failed = (self._rises(self._earlier, now, name) for name in (_MADE, _FAILED))
        for name in self.expected:
            if made[name] - failed[name] > self._ours(name, self._earlier, now):
                yield name

    def _risen(self, earlier: Reading, now: Reading, counter: str) -> dict[str, float]:
        """Expected integration -> by how much its counter has risen for others than us."""
        rises = self._rises(earlier, now, counter)
        others = {name: rises[name] - self._ours(name, earlier, now) for name in self.expected}
        return {name: rise for name, rise in others.items() if rise > 0}

    def _rises(self, earlier: Reading, now: Reading, counter: str) -> Counter[str]:
        rises: Counter[str] = Counter()
        for sign, reading in ((1, now), (-1, earlier)):
            for count in self._counts(reading, counter):
                rises[count.integration] += sign * round(count.value)
        return rises

    def _reason(self, integration: str, now: Reading) -> str:
        """The reason that rose most."""
        rises: Counter[str] = Counter()
        for sign, reading in ((1, now), (-1, self._earlier)):
            for count in self._counts(reading, _GIVEN_UP):
                if count.integration == integration:
                    rises[count.reason] += sign * round(count.value)
        return rises.most_common(1)[0][0] or "no reason told"

    def _counts(self, reading: Reading, counter: str) -> Iterator[Count]:
        for count in reading.counts:
            if count.name == counter and (count.receiver is None or count.receiver in self.receivers):
                yield count

    def _ours(self, integration: str, earlier: Reading, now: Reading) -> float:
        """How many of the integration's notifications may have been to ourselves."""
        return 0.0 if now.tells_receivers or integration != _WEBHOOK else now.ours - earlier.ours_before
