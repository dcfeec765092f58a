"""PromQL that a step's owner wrote: its condition, and what must be true besides for it to count as having worked."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from homeostat.errors import HomeostatError
from homeostat.prometheus_api import PrometheusClient
from responder.verify import Quality, Reading

_WORKLOAD = "$workload"


def about(expression: str, workload: str) -> str:
    """The expression with ``$workload`` filled in. A quoted JSON string is a PromQL string: the workload stays data."""
    return expression.replace(_WORKLOAD, json.dumps(workload))


@dataclass(frozen=True, slots=True)
class Condition:
    """True with at least one sample, and none of them 0 or NaN."""

    expression: str
    workload: str
    prometheus: PrometheusClient

    async def is_true(self) -> bool | str:
        """Or why that cannot be told."""
        try:
            samples = await self.prometheus.query(about(self.expression, self.workload))
        except HomeostatError as err:
            return str(err)
        return bool(samples) and all(sample.value and not math.isnan(sample.value) for sample in samples)

    async def read(self) -> Sequence[Reading]:
        """As evidence of a recovery."""
        found = await self.is_true()
        if isinstance(found, str):
            return [Reading("promql", Quality.NO_DATA, found)]
        quality, detail = (Quality.GOOD, "true") if found else (Quality.BAD, "not true")
        return [Reading("promql", quality, detail, lags=True)]
