"""Every family there is. A theme has one in development, to build a detector with, and one held out, to examine it."""

from benchmarks.leaks.corpus import (
    busy,
    counted,
    events,
    filling,
    leaking,
    leaking_busy,
    leaking_counted,
    mixed,
    quiet,
    sampling,
)
from benchmarks.leaks.corpus.family import Family, Maker

_WEEK = (1.0, 60.0)  # weeks, seconds between samples
_FOUR_WEEKS = (4.0, 300.0)
_HALF_A_DAY = (1 / 14, 15.0)


def _pair(
    theme: str,
    development: tuple[str, Maker],
    held_out: tuple[str, Maker],
    resource: str = "memory",
    length: tuple[float, float] = _WEEK,
) -> tuple[Family, Family]:
    is_leak = development[0].startswith("leak_")
    return (
        Family(development[0], theme, is_leak, "development", development[1], resource, *length),
        Family(held_out[0], theme, is_leak, "held_out", held_out[1], resource, *length),
    )


_HEALTHY = (
    *_pair("flat", ("flat", quiet.flat), ("flat_arenas", quiet.flat_arenas)),
    *_pair("ar", ("ar", quiet.autoregressive), ("ar_bursty", quiet.autoregressive_bursty)),
    *_pair("ou", ("ou", quiet.mean_reverting), ("bounded_walk", quiet.bounded_walk)),
    *_pair("sawtooth_fast", ("sawtooth_fast", quiet.sawtooth_fast), ("generations", quiet.generations)),
    *_pair("sawtooth_slow", ("sawtooth_slow", quiet.sawtooth_slow), ("compaction", quiet.compaction)),
    *_pair("daily", ("daily", busy.daily), ("daily_office", busy.daily_office)),
    *_pair("weekly", ("weekly", busy.weekly), ("weekly_shop", busy.weekly_shop), length=_FOUR_WEEKS),
    *_pair("load", ("load", busy.proportional), ("load_jobs", busy.proportional_jobs)),
    *_pair("warm_up", ("warmup", filling.warmup), ("warmup_stages", filling.warmup_stages)),
    *_pair("plateau", ("plateau", filling.plateau), ("plateau_late", filling.plateau_late)),
    *_pair("page_cache", ("page_cache", filling.page_cache), ("page_cache_reclaimed", filling.page_cache_reclaimed)),
    *_pair("fragmentation", ("fragmentation", filling.fragmentation), ("arenas", filling.fragmentation_arenas)),
    *_pair("fine", ("warmup_fine", filling.warmup_fine), ("bursts_fine", events.bursts_fine), length=_HALF_A_DAY),
    *_pair("steps", ("steps", events.steps), ("steps_both_ways", events.steps_both_ways)),
    *_pair("spikes", ("spikes", events.spikes), ("spikes_with_tails", events.spikes_with_tails)),
    *_pair("late_return", ("late_return", events.late_return), ("late_return_ratchet", events.late_return_ratchet)),
    *_pair("restarts", ("restarts", events.restarts), ("restarts_irregular", events.restarts_irregular)),
    *_pair("limit_resize", ("limit_resized", sampling.limit_resized), ("limit_often", sampling.limit_resized_often)),
    *_pair("gaps", ("gaps", sampling.gaps), ("gaps_long", sampling.gaps_long)),
    *_pair("clock_jumps", ("clock_jumps", sampling.clock_jumps), ("clock_wrong", sampling.clock_runs_wrong)),
    *_pair("mixed", ("mixed", mixed.mixed), ("mixed_deploys", mixed.mixed_deploys)),
    *_pair("fds", ("fds", counted.fds), ("fds_keepalive", counted.fds_keepalive), "fds"),
    *_pair("threads", ("threads", counted.threads), ("threads_elastic", counted.threads_elastic), "threads"),
    *_pair("pool", ("pool", counted.pool), ("pool_recycled", counted.pool_recycled), "connections"),
)

_LEAKS = (
    *_pair("slow", ("leak_slow", leaking.slow), ("leak_slow_weekly", leaking.slow_under_week), length=_FOUR_WEEKS),
    *_pair("steady", ("leak_steady", leaking.steady), ("leak_intermittent", leaking.intermittent)),
    *_pair("fast", ("leak_fast", leaking.fast), ("leak_fast_queue", leaking.fast_queue), length=_HALF_A_DAY),
    *_pair("accelerating", ("leak_power", leaking.accelerating), ("leak_retries", leaking.accelerating_retries)),
    *_pair("staircase", ("leak_staircase", leaking.staircase), ("leak_batches", leaking.staircase_of_batches)),
    *_pair("two", ("leak_two", leaking.two_at_once), ("leak_two_season", leaking.two_with_season)),
    *_pair("fixed", ("leak_fixed", leaking.fixed), ("leak_fixed_deploy", leaking.fixed_by_deploy)),
    *_pair(
        "sawtooth",
        ("leak_sawtooth", leaking_busy.under_sawtooth),
        ("leak_go", leaking_busy.under_proportional_garbage),
    ),
    *_pair("season", ("leak_daily", leaking_busy.under_daily), ("leak_office", leaking_busy.under_office_hours)),
    *_pair("warm_up", ("leak_after_warmup", leaking_busy.after_warmup), ("leak_in_warmup", leaking_busy.within_warmup)),
    *_pair("load", ("leak_per_request", leaking_busy.per_request), ("leak_per_failure", leaking_busy.per_failed_job)),
    *_pair("restarts", ("leak_deploys", leaking_busy.through_deploys), ("leak_kills", leaking_busy.through_kills)),
    *_pair("mixed", ("leak_mixed", mixed.mixed_leak), ("leak_deployed", mixed.mixed_leak_deployed)),
    *_pair("fds", ("leak_fds", leaking_counted.fds), ("leak_fds_storms", leaking_counted.fds_in_storms), "fds"),
    *_pair(
        "threads",
        ("leak_threads", leaking_counted.threads),
        ("leak_threads_jobs", leaking_counted.threads_by_load),
        "threads",
    ),
    *_pair(
        "pool",
        ("leak_pool", leaking_counted.pool),
        ("leak_pool_office", leaking_counted.pool_in_office_hours),
        "connections",
    ),
    Family("leak_fast_threads", "fast", True, "development", leaking_counted.threads_fast, "threads", *_HALF_A_DAY),
    Family("leak_fast_fds", "fast", True, "held_out", leaking_counted.fds_fast, "fds", *_HALF_A_DAY),
)

FAMILIES = {family.name: family for family in (*_HEALTHY, *_LEAKS)}
