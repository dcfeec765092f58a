"""How long to look. `make test` looks at the same examples every time; `make fuzz` at others, and at many more."""

import os

from hypothesis import HealthCheck, Phase, settings

#: How many times as many examples as usual.
FACTOR = int(os.environ.get("HOMEOSTAT_FUZZ", "1"))


def examples(usual: int) -> settings:
    """Hypothesis's settings for one test. Time is asserted where it matters, not by hypothesis.

    Nothing is shrunk: an example that is not answered takes seconds, and examples are small.
    """
    return settings(
        max_examples=usual * FACTOR,
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
