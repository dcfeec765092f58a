"""Metrics and what was measured of them: the model between collectors and the encoder.

A :class:`Metric` is declared once, in the table of the collector that measures it; docs/metrics.md is made from those.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class MetricType(StrEnum):
    """Types that collectors produce. State sets and infos are gauges: both text formats and all tools know those."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """What one metric is. ``labels``: every label name that its samples may have (a histogram's ``le`` aside)."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    #: For the encoder: what stands above its samples in either format, made once.
    text_head: str = field(init=False, repr=False, compare=False, default="")
    openmetrics_head: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        # OpenMetrics has no other counters, and nothing else that is named so.
        if (self.type is MetricType.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: a counter, and nothing else, ends in _total")
        help_text = self.help.replace("\\", "\\\\").replace("\n", "\\n")
        text = f"# HELP {self.name} {help_text}\n# TYPE {self.name} {self.type.value}\n"
        # In OpenMetrics the suffix belongs to a counter's sample, not to its name; and quotes are escaped, too.
        name, quoted = self.name.removesuffix("_total"), help_text.replace('"', '\\"')
        openmetrics = f"# TYPE {name} {self.type.value}\n# HELP {name} {quoted}\n"
        object.__setattr__(self, "text_head", text)  # frozen for everybody else
        object.__setattr__(self, "openmetrics_head", openmetrics)

    def family(self, samples: Iterable[tuple[str, float]] = ()) -> "Family":
        """A fresh, empty family; or one of ``samples``."""
        return Family(self, list(samples))


@dataclass(slots=True)
class Family:
    """What was measured of one metric.

    ``samples``: (rendered labels, value), labels made by :func:`labels`. A histogram's come from :func:`buckets`.
    """

    metric: Metric
    samples: list[tuple[str, float]] = field(default_factory=list)

    def add(self, rendered_labels: str, value: float) -> None:
        self.samples.append((rendered_labels, value))


def gauge(name: str, help_text: str, *label_names: str) -> Metric:
    return Metric(name, MetricType.GAUGE, help_text, label_names)


def counter(name: str, help_text: str, *label_names: str) -> Metric:
    return Metric(name, MetricType.COUNTER, help_text, label_names)


def histogram(name: str, help_text: str, *label_names: str) -> Metric:
    return Metric(name, MetricType.HISTOGRAM, help_text, label_names)


def escape(value: str) -> str:
    """A label value as the text formats want it: data, never structure."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def labels(pairs: Mapping[str, str]) -> str:
    """``{a="b",c="d"}``; empty for no labels. Render once per object and reuse: this is the hot path."""
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{escape(value)}"' for name, value in pairs.items()) + "}"


def with_label(rendered: str, name: str, value: str) -> str:
    """What :func:`labels` gave, with one more at the end: a third of the cost of rendering all of them again."""
    return f'{rendered[:-1]}{"," if rendered else "{"}{name}="{escape(value)}"}}'


def buckets(pairs: Mapping[str, str], counts: Mapping[float, int], total: float) -> list[tuple[str, float]]:
    """A classic histogram's samples. ``counts``: upper bound -> observations in that bucket alone, in order, the last
    bound infinite. ``total``: the sum of what was observed.
    """
    rendered = labels(pairs)
    samples: list[tuple[str, float]] = []
    seen = 0
    for bound, count in counts.items():
        seen += count
        upper = "+Inf" if bound == float("inf") else repr(float(bound))
        samples.append((f"_bucket{with_label(rendered, 'le', upper)}", seen))
    return [*samples, (f"_sum{rendered}", total), (f"_count{rendered}", seen)]
