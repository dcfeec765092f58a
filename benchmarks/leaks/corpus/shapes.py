"""Parts of a trace: levels, noise, bumps, stairs. Each is a list as long as the stage's clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, exp, sqrt
from operator import add, mul
from random import Random

from benchmarks.leaks.corpus.stage import MINUTE, Stage, log_uniform


def total(first: list[float], *others: list[float]) -> list[float]:
    for other in others:
        first = list(map(add, first, other))
    return first


def product(first: list[float], second: list[float]) -> list[float]:
    return list(map(mul, first, second))


def scaled(part: list[float], factor: float) -> list[float]:
    return [factor * value for value in part]


def roomy(part: list[float], top: float = 0.72) -> list[float]:
    """The same shape, lower where it would leave a leak no room."""
    highest = max(part)
    return scaled(part, top / highest) if highest > top else part


def ground(stage: Stage, share: float) -> list[float]:
    """What a service needs when nothing happens; in its first minutes it is not all there."""
    rng = stage.rng
    return total(
        [share] * len(stage.at), settling(stage, stage.started, share * rng.uniform(0.2, 0.6), rng.uniform(20, 240))
    )


def settling(stage: Stage, started: float, lack: float, settles_s: float) -> list[float]:
    """What is not there yet: ``-lack`` at ``started``, then ever less."""
    part = [0.0] * len(stage.at)
    low = max(0, ceil((started - stage.begin) / stage.step))
    for index in range(low, min(len(part), low + int(8 * settles_s / stage.step) + 1)):
        part[index] = -lack * exp((started - stage.at[index]) / settles_s)
    return part


def noise(stage: Stage, sigma: float, tau_s: float) -> list[float]:
    """AR(1), or Ornstein-Uhlenbeck where ``tau_s`` is long: mean 0, deviation ``sigma``, forgotten in ``tau_s``."""
    return _ornstein_uhlenbeck(stage.rng, len(stage.at), sigma, tau_s / stage.step)


def hum(stage: Stage) -> list[float]:
    """The small noise that every service has."""
    rng = stage.rng
    return noise(stage, log_uniform(rng, 0.0008, 0.008), log_uniform(rng, 0.5 * MINUTE, 20 * MINUTE))


def flicker(stage: Stage, share: float, tau_s: float) -> list[float]:
    """Noise of what is counted: its variance is its mean, as with independent users that come and go."""
    return noise(stage, sqrt(share / stage.limit), tau_s)


def wander(stage: Stage, sigma: float, tau_s: float) -> list[float]:
    """As noise, but smooth from sample to sample."""
    every = max(1, round(tau_s / 10 / stage.step))
    count = len(stage.at)
    knots = _ornstein_uhlenbeck(stage.rng, count // every + 2, sigma, tau_s / stage.step / every)
    part: list[float] = []
    for left, right in pairwise(knots):
        slope = (right - left) / every
        part.extend([left + slope * step for step in range(every)])
    return part[:count]


def echo(stage: Stage, part: list[float], rise_s: float, fall_s: float) -> list[float]:
    """Follows ``part`` with one time constant upwards and another downwards."""
    up, down = -(exp(-stage.step / rise_s) - 1), -(exp(-stage.step / fall_s) - 1)
    now, followed = part[0], []
    for value in part:
        now += (value - now) * (up if value > now else down)
        followed.append(now)
    return followed


@dataclass(frozen=True, slots=True)
class Bump:
    """Goes up by ``size`` from ``since`` on in ``rise_s``, stays for ``hold_s``, goes down in ``fall_s``."""

    since: float
    rise_s: float
    hold_s: float
    fall_s: float
    size: float

    def height(self, moment: float) -> float:
        after = moment - self.since
        up = min(1.0, after / self.rise_s) if self.rise_s else 1.0
        down = (after - self.rise_s - self.hold_s) / self.fall_s if self.fall_s else 0.0
        return self.size * max(0.0, min(up, 1.0 - down))


def bumps(stage: Stage, several: Iterable[Bump]) -> list[float]:
    part = [0.0] * len(stage.at)
    begin, step = stage.begin, stage.step
    for bump in several:
        low = max(0, ceil((bump.since - begin) / step))
        high = int((bump.since + bump.rise_s + bump.hold_s + bump.fall_s - begin) / step) + 1
        for index in range(low, min(high, len(part))):
            part[index] += bump.height(stage.at[index])
    return part


def stairs(stage: Stage, steps: Iterable[tuple[float, float]]) -> list[float]:
    """``steps``: epoch second and size of each."""
    part: list[float] = []
    now = 0.0
    for moment, size in sorted(steps):
        upto = max(0, min(len(stage.at), ceil((moment - stage.begin) / stage.step)))
        part.extend([now] * (upto - len(part)))
        now += size
    return part + [now] * (len(stage.at) - len(part))


def poisson(stage: Stage, mean_gap_s: float, since: float | None = None) -> list[float]:
    """Epoch seconds of what happens at any time, ``mean_gap_s`` apart on average."""
    moments: list[float] = []
    moment = stage.begin if since is None else since
    while (moment := moment + stage.rng.expovariate(1 / mean_gap_s)) < stage.at[-1]:
        moments.append(moment)
    return moments


def _ornstein_uhlenbeck(rng: Random, count: int, sigma: float, tau_steps: float) -> list[float]:
    gauss, keep = rng.gauss, exp(-1 / tau_steps)
    kick = sigma * sqrt(1 - keep * keep)
    now, part = gauss(0.0, sigma), []
    for _ in range(count):
        now = keep * now + gauss(0.0, kick)
        part.append(now)
    return part
