"""The labelled corpus: it is what it says, and the same each time."""

from functools import cache
from itertools import pairwise
from statistics import median
from typing import get_args

import pytest

from benchmarks.leaks.corpus import FAMILIES, Split, families, generate

_SEEDS = (1, 2)
_SPLITS = get_args(Split)
_HEALTHY = [name for name, family in FAMILIES.items() if not family.is_leak]
_LEAKING = [name for name, family in FAMILIES.items() if family.is_leak]
_HEALTHY_THEMES = (
    "flat ar ou sawtooth_fast sawtooth_slow daily weekly warm_up plateau steps spikes restarts page_cache "
    "fragmentation late_return limit_resize gaps clock_jumps load fds threads pool"
)
_LEAK_THEMES = (
    "slow steady fast sawtooth season warm_up load staircase restarts accelerating fixed fds threads pool two mixed"
)


@cache
def made(family, seed):
    return generate(family, seed)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_trace_is_the_same_each_time_and_no_other_seed_gives_it(name):
    again = generate(name, 1)

    assert again == made(name, 1)
    assert again.values != made(name, 2).values


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_its_columns_are_complete_and_in_the_units_of_its_resource(name, seed):
    trace = made(name, seed)
    grain = 4096 if trace.resource == "memory" else 1

    assert (trace.name, trace.family, trace.resource) == (f"{name}/{seed}", name, FAMILIES[name].resource)
    assert len(trace.times) == len(trace.values) == len(trace.limits)
    assert len(trace.work) in (0, len(trace.times))
    assert all(value >= 0 and value % grain == 0 for value in trace.values)
    assert all(limit > 0 and limit % grain == 0 for limit in trace.limits)
    assert all(before <= after for before, after in pairwise(trace.work))


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_sampled_as_its_family_says(name, seed):
    trace, family = made(name, seed), FAMILIES[name]
    steps = [after - before for before, after in pairwise(trace.times)]

    assert median(steps) == pytest.approx(family.step_s, rel=0.03)
    assert sum(steps) <= family.weeks * 7 * 86400 + 3 * 3600
    assert sum(step <= 0 for step in steps) <= (0.01 * len(steps) if family.theme == "clock_jumps" else 0)


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_container_started_before_the_first_sample_and_its_starts_are_in_order(name, seed):
    trace = made(name, seed)

    assert trace.starts[0] < trace.times[0]
    assert all(before < after for before, after in pairwise(trace.starts))
    assert trace.starts[-1] < trace.times[-1]


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", _HEALTHY)
def test_a_healthy_one_has_no_leak_and_never_comes_near_its_limit(name, seed):
    trace = made(name, seed)

    assert trace.leaks == ()
    assert all(value <= 0.97 * limit for value, limit in zip(trace.values, trace.limits, strict=True))


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", _LEAKING)
def test_labels_of_a_leak_are_in_order_and_do_not_overlap(name, seed):
    leaks = made(name, seed).leaks

    assert leaks
    assert all(leak.onset < leak.ends <= leak.exhaustion for leak in leaks)
    assert all(before.ends <= after.onset for before, after in pairwise(leaks))


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", _LEAKING)
def test_the_limit_is_met_at_each_exhaustion_that_comes_and_at_no_other_time(name, seed):
    trace = made(name, seed)
    exhausted = [leak.exhaustion for leak in trace.leaks if leak.ends == leak.exhaustion]
    values = zip(trace.times, trace.values, trace.limits, strict=True)

    assert [at for at, value, limit in values if value >= limit] == exhausted


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("name", _LEAKING)
def test_there_is_something_to_find(name, seed):
    trace = made(name, seed)
    leak = trace.leaks[0]
    before = [value for at, value in zip(trace.times, trace.values, strict=True) if at <= leak.onset][-60:]
    leaking = [value for at, value in zip(trace.times, trace.values, strict=True) if leak.onset < at <= leak.ends]

    assert len(leaking) >= 40
    assert max(leaking) - median(before or leaking[:1]) >= 0.2 * trace.limits[0]


@pytest.mark.parametrize("name", [name for name in _LEAKING if FAMILIES[name].theme not in {"fixed", "restarts"}])
def test_a_trace_that_is_not_fixed_nor_restarted_ends_with_its_exhaustion(name):
    trace = made(name, 1)

    assert [leak.ends for leak in trace.leaks] == [trace.times[-1]]
    assert trace.values[-1] == trace.limits[-1]


@pytest.mark.parametrize("name", ["leak_fixed", "leak_fixed_deploy", "leak_flushed"])
def test_what_is_fixed_goes_on_and_never_meets_the_limit(name):
    trace = made(name, 1)
    (leak,) = trace.leaks

    assert max(trace.values) < trace.limits[0]
    assert leak.ends < leak.exhaustion
    assert leak.ends < trace.times[-1] - 3600


def test_some_deploys_come_in_time_and_some_do_not():
    leaks = [leak for seed in range(10) for leak in generate("leak_deploys", seed).leaks]
    exhausted = sum(leak.ends == leak.exhaustion for leak in leaks)

    assert len(leaks) * 0.03 < exhausted < len(leaks) * 0.5


def test_a_kill_is_followed_by_a_start():
    trace = made("leak_kills", 1)

    assert len(trace.starts) == len(trace.leaks) > 3
    assert all(start <= leak.onset for start, leak in zip(trace.starts, trace.leaks, strict=True))


def test_stairs_are_low():
    for seed in range(5):
        trace = generate("leak_staircase", seed)
        jumps = [after - before for before, after in pairwise(trace.values)]

        assert max(jumps) < 0.14 * trace.limits[0]


@pytest.mark.parametrize("split", _SPLITS)
def test_a_split_has_every_theme_healthy_and_leaking(split):
    chosen = families(split)
    healthy = [family.theme for family in chosen if not family.is_leak]
    leaking = [family.theme for family in chosen if family.is_leak]

    assert set(_HEALTHY_THEMES.split()) <= set(healthy)
    assert set(_LEAK_THEMES.split()) <= set(leaking)
    assert len(healthy) >= 10
    assert len(leaking) >= 10


def test_no_family_and_no_shape_is_in_two_splits():
    together = [family for split in _SPLITS for family in families(split)]

    assert len(_SPLITS) == 3
    assert sorted(family.name for family in together) == sorted(FAMILIES)
    assert len({family.make for family in together}) == len(FAMILIES)


@pytest.mark.parametrize("theme", sorted({(family.theme, family.is_leak) for family in FAMILIES.values()}))
def test_a_theme_is_of_one_resolution_in_every_split(theme):
    resolutions = {
        split: {(family.weeks, family.step_s) for family in families(split) if (family.theme, family.is_leak) == theme}
        for split in _SPLITS
    }

    assert resolutions["development"] == resolutions["validation"] == resolutions["held_out"]


def test_fast_ones_are_exhausted_within_the_hour_and_others_are_not():
    fast = {name for name in _LEAKING if all(generate(name, seed).is_fast for seed in range(3))}

    assert fast == {name for name in _LEAKING if FAMILIES[name].theme == "fast"}


def test_samples_are_missing_where_that_is_the_theme():
    for name in ("gaps", "gaps_long", "gaps_of_single_samples"):
        longest = max(after - before for before, after in pairwise(made(name, 1).times))

        assert longest > 5 * 60


def test_clocks_go_back_and_limits_change_where_that_is_the_theme():
    jumped = [
        generate(name, seed) for name in ("clock_jumps", "clock_wrong", "clock_of_two_servers") for seed in range(4)
    ]
    resized = [
        generate(name, seed) for name in ("limit_resized", "limit_often", "limit_redeployed") for seed in range(4)
    ]

    assert {t.family for t in jumped if any(after < before for before, after in pairwise(t.times))} == {
        t.family for t in jumped
    }
    assert all(len(set(trace.limits)) > 1 for trace in resized)


def test_work_is_counted_where_memory_follows_the_load():
    counted = {name for name in FAMILIES if made(name, 1).work}

    assert counted == {name for name, family in FAMILIES.items() if family.theme == "load"}


def test_an_unknown_family_is_an_error():
    with pytest.raises(KeyError, match="nonsense"):
        generate("nonsense", 1)
