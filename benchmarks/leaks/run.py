"""Every contender on every trace, on all cores."""

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from benchmarks.leaks.baselines import BASELINES
from benchmarks.leaks.contenders import Contender, Homeostat
from benchmarks.leaks.corpus import Split, generate
from benchmarks.leaks.score import Outcome, facts, outcome
from benchmarks.leaks.trace import Trace

CONTENDERS: Mapping[str, Contender] = {each.name: each for each in (Homeostat(), *BASELINES)}
_MOST_SEEDS = 1_000_000
#: Seeds of a split begin here. The held-out families have been seen by nobody with these.
_FIRST_SEED: Mapping[Split, int] = {"development": 0, "validation": _MOST_SEEDS, "held_out": 2 * _MOST_SEEDS}


@dataclass(frozen=True, slots=True)
class Job:
    """One trace, and who is to judge it."""

    family: str
    seed: int
    contenders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """``cpu_s`` of the process for the whole trace, ``evaluations`` in it."""

    family: str
    seed: int
    contender: str
    outcome: Outcome
    cpu_s: float
    evaluations: float


def seeds(split: Split, count: int) -> range:
    """Those of one split are never those of the other. Raises ValueError for more than a million."""
    if not 0 < count <= _MOST_SEEDS:
        raise ValueError(f"{count} seeds; allowed: 1 to {_MOST_SEEDS}")
    return range(_FIRST_SEED[split], _FIRST_SEED[split] + count)


def jobs(families: Sequence[str], split: Split, count: int, contenders: Sequence[str]) -> list[Job]:
    """A seed of every family before the next seed: a run that is cut short has seen them all."""
    return [Job(family, seed, tuple(contenders)) for seed in seeds(split, count) for family in families]


def examine(job: Job) -> list[Result]:
    """One trace, here."""
    trace = generate(job.family, job.seed)
    return judge(trace, job.seed, [CONTENDERS[name] for name in job.contenders])


def judge(trace: Trace, seed: int, contenders: Sequence[Contender]) -> list[Result]:
    known = facts(trace)
    results = []
    for contender in contenders:
        start = time.process_time()
        alarms = contender.alarms(trace)
        cpu_s = time.process_time() - start
        evaluations = known.weeks * 7 * 86400 / contender.evaluation_s
        results.append(Result(trace.family, seed, contender.name, outcome(known, alarms), cpu_s, evaluations))
    return results


def run(todo: Sequence[Job], advance: Callable[[], None], workers: int | None = None) -> list[Result]:
    """All of them, on all cores, in the order of ``todo``; ``advance`` is called with each that is done."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers or os.cpu_count(), mp_context=context) as pool:
        waiting = [pool.submit(examine, job) for job in todo]
        try:
            for done in as_completed(waiting):
                done.result()
                advance()
        except BaseException:  # what is left would be waited for otherwise, also after Ctrl-C
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [result for done in waiting for result in done.result()]
