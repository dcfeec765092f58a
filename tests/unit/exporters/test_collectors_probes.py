"""What the page says of probes, read back with prometheus_client's parser."""

import dataclasses
import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporters.collectors.databases import DatabasesCollector
from exporters.collectors.probes import ProbesCollector
from exporters.probetally import Tally
from exporters.probing import Observation, ProbeKey
from homeostat.encoder import render
from homeostat.errors import Temporary
from homeostat.probes import ProbeResult
from homeostat.probes.model import HttpMeasured, PostgresMeasured, RedisMeasured
from homeostat.workloads import ProbeRole, ProbeSpec

HTTP = ProbeSpec("http", ":80/", 2.0, 2.0, failures=2)
READY = dataclasses.replace(HTTP, role=ProbeRole.READINESS)
AT = 1_800_000_000.5
OWN = 'workload="shop/web",container="web-1",probe="http :80/"'


class Observed:
    """A prober that has seen these results, in order, of the container web-1; or None yet."""

    def __init__(self, *results, spec=HTTP, container="web-1"):
        tally = Tally()
        for result in results:
            tally = tally.add(result, spec)
        last = results[-1] if results else None
        self.seen = {ProbeKey("shop/web", container, spec.name): Observation(last, AT, 0, spec, tally)}

    def observations(self):
        return self.seen


async def lines(collector):
    text = render(await collector.collect()).decode()
    assert list(text_string_to_metric_families(text)) or not text
    return {line for line in text.splitlines() if not line.startswith("#")}


GOOD = ProbeResult(True, "", 0.25)
BAD = ProbeResult(False, "status 503", 1.0)
BLIND = ProbeResult(None, "the password file cannot be read", 0.001)


async def test_a_good_check_tells_all_of_itself():
    assert await lines(ProbesCollector(Observed(GOOD))) >= {
        f'homeostat_probe_success{{{OWN},role="liveness"}} 1',
        f'homeostat_probe_healthy{{{OWN},role="liveness"}} 1',
        f"homeostat_probe_timestamp_seconds{{{OWN}}} 1800000000.5",
        f"homeostat_probe_last_duration_seconds{{{OWN}}} 0.25",
        f"homeostat_probe_checks_total{{{OWN}}} 1",
        f"homeostat_probe_failures_total{{{OWN}}} 0",
        f"homeostat_probe_errors_total{{{OWN}}} 0",
        f'homeostat_probe_info{{{OWN},role="liveness",kind="http",reason=""}} 1',
    }


async def test_one_failure_below_the_threshold_is_no_success_and_still_healthy():
    assert await lines(ProbesCollector(Observed(GOOD, BAD, spec=READY))) >= {
        f'homeostat_probe_success{{{OWN},role="readiness"}} 0',
        f'homeostat_probe_healthy{{{OWN},role="readiness"}} 1',
        f"homeostat_probe_failures_total{{{OWN}}} 1",
        f'homeostat_probe_info{{{OWN},role="readiness",kind="http",reason="status 503"}} 1',
    }


async def test_while_checks_cannot_be_made_nothing_is_said_of_the_target():
    found = await lines(ProbesCollector(Observed(BAD, BLIND)))

    assert not {line for line in found if "_success{" in line or "_healthy{" in line}
    assert found >= {
        f"homeostat_probe_checks_total{{{OWN}}} 2",
        f"homeostat_probe_errors_total{{{OWN}}} 1",
        f'homeostat_probe_info{{{OWN},role="liveness",kind="http",reason="the password file cannot be read"}} 1',
    }


async def test_before_the_first_result_there_is_nothing():
    assert await lines(ProbesCollector(Observed())) == set()


async def test_a_probe_that_goes_to_no_container_has_no_such_label():
    found = await lines(ProbesCollector(Observed(GOOD, container="")))

    assert 'homeostat_probe_success{workload="shop/web",probe="http :80/",role="liveness"} 1' in found
    assert not any("container=" in line for line in found)


async def test_response_times_are_a_classic_histogram():
    results = [ProbeResult(True, "", seconds) for seconds in (0.001, 0.005, 0.2, 0.2)] + [ProbeResult(False, "", 30.0)]
    found = await lines(ProbesCollector(Observed(*results)))
    counts = {}
    for line in found:
        if "duration_seconds_bucket" in line:
            counts[line.partition('le="')[2].partition('"')[0]] = float(line.rpartition(" ")[2])

    assert counts == {
        "0.005": 2, "0.01": 2, "0.025": 2, "0.05": 2, "0.1": 2, "0.25": 4, "0.5": 4, "1.0": 4, "2.5": 4, "5.0": 4,
        "10.0": 4, "+Inf": 5,
    }  # fmt: skip
    assert f"homeostat_probe_duration_seconds_count{{{OWN}}} 5" in found
    (total,) = (float(line.rpartition(" ")[2]) for line in found if "duration_seconds_sum" in line)
    assert math.isclose(total, 30.406)


async def test_http_tells_its_status_its_phases_and_the_end_of_its_certificate():
    measured = HttpMeasured(503, {"connect": 0.5, "tls": 0.25}, tls_expires_at=1_900_000_000.0)
    found = await lines(ProbesCollector(Observed(ProbeResult(False, "status 503", 1.0, measured))))

    assert found >= {
        f"homeostat_probe_http_status_code{{{OWN}}} 503",
        f'homeostat_probe_http_phase_seconds{{{OWN},phase="connect"}} 0.5',
        f'homeostat_probe_http_phase_seconds{{{OWN},phase="tls"}} 0.25',
        f"homeostat_probe_tls_expiry_timestamp_seconds{{{OWN}}} 1900000000.0",
    }


async def test_the_end_of_a_certificate_is_told_when_it_has_come():
    """Else the alert on it would end at that very moment."""
    measured = HttpMeasured(200, {}, tls_expires_at=1_900_000_000.0)
    expired = ProbeResult(False, "TLS certificate: certificate has expired", 0.1)
    found = await lines(ProbesCollector(Observed(ProbeResult(True, "", 0.1, measured), expired)))

    assert f"homeostat_probe_tls_expiry_timestamp_seconds{{{OWN}}} 1900000000.0" in found


async def test_redis_tells_what_it_knows_and_no_more():
    measured = RedisMeasured(clients=3, clients_max=100, memory_bytes=5, evicted_keys=7, is_replica=True, last_io_s=9.5)
    found = await lines(DatabasesCollector(Observed(ProbeResult(True, "", 0.1, measured))))

    assert found == {
        f"homeostat_redis_connected_clients{{{OWN}}} 3",
        f"homeostat_redis_max_clients{{{OWN}}} 100",
        f"homeostat_redis_memory_used_bytes{{{OWN}}} 5",
        f"homeostat_redis_evicted_keys_total{{{OWN}}} 7",
        f"homeostat_redis_replica{{{OWN}}} 1",
        f"homeostat_redis_replication_last_io_timestamp_seconds{{{OWN}}} 1799999991.0",
    }


async def test_postgres_tells_its_connections_by_state():
    measured = PostgresMeasured({"idle": 4, "disabled": 1}, 97, None, 2)
    found = await lines(DatabasesCollector(Observed(ProbeResult(True, "", 0.1, measured))))

    assert found == {
        f'homeostat_postgres_connections{{{OWN},state="active"}} 0',
        f'homeostat_postgres_connections{{{OWN},state="idle"}} 4',
        f'homeostat_postgres_connections{{{OWN},state="idle in transaction"}} 0',
        f'homeostat_postgres_connections{{{OWN},state="idle in transaction (aborted)"}} 0',
        f'homeostat_postgres_connections{{{OWN},state="disabled"}} 1',
        f"homeostat_postgres_max_connections{{{OWN}}} 97",
        f"homeostat_postgres_lock_waits{{{OWN}}} 2",
    }


async def test_an_open_transaction_that_idles_tells_since_when():
    measured = PostgresMeasured({}, 97, 1_800_000_000.25, 0)
    found = await lines(DatabasesCollector(Observed(ProbeResult(True, "", 0.1, measured))))

    assert f"homeostat_postgres_idle_in_transaction_start_timestamp_seconds{{{OWN}}} 1800000000.25" in found


@pytest.mark.parametrize("results", [(), (GOOD,), (BAD,)])
async def test_other_probes_say_nothing_of_databases(results):
    assert await lines(DatabasesCollector(Observed(*results))) == set()


@pytest.mark.parametrize("collector", [ProbesCollector, DatabasesCollector])
async def test_old_results_do_not_pass_for_new_ones(collector):
    class StandingStill:
        def observations(self):
            raise Temporary("1 probes stand still")

    with pytest.raises(Temporary):
        await collector(StandingStill()).collect()
