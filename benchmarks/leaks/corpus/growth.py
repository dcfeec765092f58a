"""Curves that rise: from 0 at ``since`` (epoch seconds) to ``size``."""

from math import exp, log1p

from benchmarks.leaks.corpus.stage import Stage


def elapsed(stage: Stage, since: float) -> list[float]:
    """Seconds, 0 before ``since``."""
    return [at - since if at > since else 0.0 for at in stage.at]


def fill_exponential(stage: Stage, since: float, size: float, full_s: float) -> list[float]:
    """95 % of it is there after ``full_s``."""
    tau_s = full_s / 3
    return [size * (1 - exp(-after / tau_s)) for after in elapsed(stage, since)]


def fill_logarithmic(stage: Stage, since: float, size: float, full_s: float, steepness: float = 20.0) -> list[float]:
    """As a cache under Zipf's law: ever more slowly, until it is full after ``full_s``."""
    scale = 1 / log1p(steepness)
    return [
        size * log1p(after / full_s * steepness) * scale if after < full_s else size for after in elapsed(stage, since)
    ]


def fill_linear(stage: Stage, since: float, size: float, full_s: float) -> list[float]:
    return [size * after / full_s if after < full_s else size for after in elapsed(stage, since)]


def fill_sigmoid(stage: Stage, since: float, size: float, full_s: float) -> list[float]:
    """Slow, fast, slow."""
    shares = (min(1.0, after / full_s) for after in elapsed(stage, since))
    return [size * share * share * (3 - 2 * share) for share in shares]
