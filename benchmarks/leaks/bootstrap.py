"""How far figures could be off by the luck of the draw of traces."""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.leaks.score import Outcome, by_family, figures

Interval = tuple[float, float]
RESAMPLES = 1000
_TAIL = 0.025


def intervals(outcomes: Sequence[Outcome], resamples: int = RESAMPLES, seed: int = 1) -> Mapping[str, Interval]:
    """95 % of each of score.Figures, by the percentile bootstrap (Efron 1979): traces are drawn again within each
    family, so that every family keeps its weight. Where nothing can be said: not a number.

    An interval knows nothing of other families, and has no width where all traces agree: with none wrong of n traces,
    up to 3/n may be (rule of three).
    """
    families = by_family(outcomes).values()
    rng = random.Random(seed)
    draws = defaultdict(list)
    for _ in range(resamples):
        drawn = [each for family in families for each in rng.choices(family, k=len(family))]
        for name, value in asdict(figures(drawn)).items():
            draws[name].append(value)
    return {name: _middle(values) for name, values in draws.items()}


def _middle(values: Sequence[float]) -> Interval:
    ordered = sorted(value for value in values if not math.isnan(value))
    if not ordered:
        return math.nan, math.nan
    cut = int(len(ordered) * _TAIL)
    return ordered[cut], ordered[-1 - cut]
