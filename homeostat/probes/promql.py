"""Asks Prometheus: good is at least one sample, and none of them 0 or NaN."""

import asyncio
import math

from homeostat.errors import HomeostatError, Temporary
from homeostat.probes.model import Bad, CannotLook, Finding, ProbeContext
from homeostat.prometheus_api import PrometheusClient
from homeostat.workloads import ProbeSpec, PromqlOptions

#: Of the check's timeout: after all of it, the silence would be taken for the target's.
_SHARE = 0.95


class PromqlLook:
    """A Prometheus that does not answer says nothing about the target; one without a sample of it does."""

    def __init__(self, spec: ProbeSpec, context: ProbeContext) -> None:
        if not isinstance(spec.options, PromqlOptions) or not spec.options.server:
            raise ValueError("a promql probe has a server")
        self._expression = spec.target
        self._timeout_s = spec.timeout_s * _SHARE
        self._prometheus = PrometheusClient(spec.options.server, context.session)

    async def look(self) -> Finding:
        try:
            async with asyncio.timeout(self._timeout_s):
                samples = await self._prometheus.query(self._expression)
        except TimeoutError:
            raise CannotLook(f"Prometheus: no answer within {self._timeout_s:g} s") from None
        except Temporary:
            raise CannotLook("Prometheus does not answer") from None
        except HomeostatError:  # its words may hold the expression
            raise Bad("Prometheus refuses the query") from None
        if not samples:
            raise Bad("no sample")
        if any(math.isnan(sample.value) for sample in samples):
            raise Bad("a sample is NaN")
        if not all(sample.value for sample in samples):
            raise Bad("a sample is 0")
        return Finding()

    async def close(self) -> None:
        """The session is the process's."""
