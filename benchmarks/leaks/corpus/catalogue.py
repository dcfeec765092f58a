"""Every family there is. A theme has one in development, to build a detector with, one in validation, which has been
looked at as well, and one held out, by another author, to examine it.
"""

from benchmarks.leaks.corpus import (
    busy,
    counted,
    events,
    exam_counted,
    exam_events,
    exam_healthy,
    exam_leaking,
    exam_leaking_busy,
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
    validation: tuple[str, Maker],
    resource: str = "memory",
    length: tuple[float, float] = _WEEK,
) -> tuple[Family, Family]:
    is_leak = development[0].startswith("leak_")
    return (
        Family(development[0], theme, is_leak, "development", development[1], resource, *length),
        Family(validation[0], theme, is_leak, "validation", validation[1], resource, *length),
    )


def _held_out(
    theme: str, name: str, make: Maker, resource: str = "memory", length: tuple[float, float] = _WEEK
) -> Family:
    return Family(name, theme, name.startswith("leak_"), "held_out", make, resource, *length)


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
    Family("leak_fast_fds", "fast", True, "validation", leaking_counted.fds_fast, "fds", *_HALF_A_DAY),
)

_HELD_OUT_HEALTHY = (
    _held_out("flat", "flat_idle", exam_healthy.idle),
    _held_out("ar", "large_requests", exam_healthy.large_requests),
    _held_out("ou", "tenants", exam_healthy.tenants),
    _held_out("sawtooth_fast", "heap_by_load", exam_healthy.heap_by_load),
    _held_out("sawtooth_slow", "old_generation", exam_healthy.old_generation),
    _held_out("daily", "daily_regions", exam_healthy.daily_regions),
    _held_out("weekly", "weekly_accounts", exam_healthy.weekly_accounts, length=_FOUR_WEEKS),
    _held_out("load", "load_moved", exam_healthy.load_moved),
    _held_out("warm_up", "warmup_by_use", exam_healthy.warmup_by_use),
    _held_out("plateau", "plateau_expiring", exam_healthy.plateau_expiring),
    _held_out("page_cache", "page_cache_backup", exam_healthy.page_cache_backup),
    _held_out("fragmentation", "fragmentation_records", exam_healthy.fragmentation_records),
    _held_out("fine", "imports_fine", exam_healthy.imports_fine, length=_HALF_A_DAY),
    _held_out("steps", "steps_of_workers", exam_events.steps_of_workers),
    _held_out("spikes", "spikes_of_reports", exam_events.spikes_of_reports),
    _held_out("late_return", "late_return_nightly", exam_events.late_return_nightly),
    _held_out("restarts", "restarts_while_coding", exam_events.restarts_while_coding),
    _held_out("limit_resize", "limit_redeployed", exam_events.limit_redeployed),
    _held_out("gaps", "gaps_of_single_samples", exam_events.gaps_of_single_samples),
    _held_out("clock_jumps", "clock_of_two_servers", exam_events.clock_of_two_servers),
    _held_out("mixed", "mixed_shop", exam_events.mixed_shop),
    _held_out("fds", "fds_websockets", exam_counted.fds_websockets, "fds"),
    _held_out("threads", "threads_scheduled", exam_counted.threads_scheduled, "threads"),
    _held_out("pool", "pool_of_replicas", exam_counted.pool_of_replicas, "connections"),
)

_HELD_OUT_LEAKS = (
    _held_out("slow", "leak_slow_keys", exam_leaking.keys_for_ever, length=_FOUR_WEEKS),
    _held_out("steady", "leak_arenas", exam_leaking.arenas),
    _held_out("fast", "leak_fast_pages", exam_leaking.fast_pages, length=_HALF_A_DAY),
    _held_out("fast", "leak_fast_pool", exam_counted.leak_pool_fast, "connections", _HALF_A_DAY),
    _held_out("accelerating", "leak_doubling", exam_leaking.doubling_listeners),
    _held_out("staircase", "leak_reloads", exam_leaking.reloads),
    _held_out("two", "leak_two_nightly", exam_leaking.drip_and_nightly_block),
    _held_out("fixed", "leak_flushed", exam_leaking.flushed),
    _held_out("sawtooth", "leak_fixed_heap", exam_leaking.fixed_heap),
    _held_out("season", "leak_by_night", exam_leaking.by_night),
    _held_out("warm_up", "leak_warmup_by_use", exam_leaking_busy.warmup_by_use),
    _held_out("load", "leak_per_visitor", exam_leaking_busy.per_visitor),
    _held_out("restarts", "leak_lifetimes", exam_leaking_busy.through_lifetimes),
    _held_out("mixed", "leak_shop", exam_leaking_busy.mixed_shop),
    _held_out("fds", "leak_fds_rotated", exam_counted.leak_fds_rotated, "fds"),
    _held_out("threads", "leak_threads_scheduled", exam_counted.leak_threads_scheduled, "threads"),
    _held_out("pool", "leak_pool_timeouts", exam_counted.leak_pool_timeouts, "connections"),
)

FAMILIES = {family.name: family for family in (*_HEALTHY, *_HELD_OUT_HEALTHY, *_LEAKS, *_HELD_OUT_LEAKS)}
