"""Labelled traces of healthy and of leaking containers, to examine a leak detector with. A trace depends on nothing but
the names of its family and its seed. Whoever builds a detector looks at the development and validation families only.
"""

from random import Random

from benchmarks.leaks.corpus.catalogue import FAMILIES
from benchmarks.leaks.corpus.draft import record
from benchmarks.leaks.corpus.family import Family, Split
from benchmarks.leaks.corpus.stage import open_stage
from benchmarks.leaks.trace import Trace

__all__ = ["FAMILIES", "Family", "Split", "families", "generate"]


def generate(family: str, seed: int) -> Trace:
    """KeyError when there is no such family."""
    chosen = FAMILIES[family]
    name = f"{family}/{seed}"
    stage = open_stage(Random(name), chosen.resource, chosen.weeks, chosen.step_s)
    return record(chosen.make(stage), name, family)


def families(split: Split) -> tuple[Family, ...]:
    return tuple(family for family in FAMILIES.values() if family.split == split)
