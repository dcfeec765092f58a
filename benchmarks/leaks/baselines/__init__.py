"""What else there is, each as its authors describe it, streaming as ours: one file a method."""

from functools import partial

from benchmarks.leaks.baselines.buckets import BucketCounting
from benchmarks.leaks.baselines.lbr import LinearBackwardRegression
from benchmarks.leaks.baselines.mann_kendall import MannKendall, hamed_rao
from benchmarks.leaks.baselines.precog import PrecogMF
from benchmarks.leaks.baselines.predict_linear import PredictLinear
from benchmarks.leaks.contenders import Baseline

_HOUR_S = 3600.0


def _predict_linear(window_h: int, horizon: str, horizon_h: int) -> tuple[Baseline, Baseline]:
    """As everybody writes it, and on full windows only."""
    seconds = window_h * _HOUR_S, horizon_h * _HOUR_S
    name = f"predict_linear {window_h}h/{horizon}"
    return (
        Baseline(name, 60.0, partial(PredictLinear, *seconds)),
        Baseline(f"{name}, full", 60.0, partial(PredictLinear, *seconds, is_full=True)),
    )


BASELINES = (
    *_predict_linear(1, "4h", 4),
    *_predict_linear(6, "24h", 24),
    *_predict_linear(24, "3d", 72),
    Baseline("Mann-Kendall + Sen", 900.0, MannKendall),
    Baseline("Mann-Kendall, Hamed-Rao", 900.0, partial(MannKendall, hamed_rao)),
    Baseline("LBR", 300.0, LinearBackwardRegression),
    Baseline("PrecogMF", 300.0, PrecogMF),
    Baseline("bucket counting", 3600.0, BucketCounting),
)
