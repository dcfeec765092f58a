"""What is made of Alertmanager's counters: when a notification has arrived, and when it only looks so."""

import pytest

from responder.notifications import Reading, Watch, integrations, read_counts


def page(receiver: str = "", /, **counts: float) -> str:
    """A page of 0.33, or of 0.25 where no reason is given. ``made_webhook=1``, ``failed_webhook=1``,
    ``given_up_webhook_clientError=1``.
    """
    metrics = {"made": "notification_requests_total", "failed": "notification_requests_failed_total"}
    lines = [
        "# HELP alertmanager_notifications_total The total number of attempted notifications.",
        "# TYPE alertmanager_notifications_total counter",
        'alertmanager_notifications_total{integration="webhook"} 99',
        'alertmanager_notification_latency_seconds_bucket{integration="webhook",le="1"} 99',
        'alertmanager_notification_requests_total{integration="opsgenie"} 0',
    ]
    for key, value in counts.items():
        kind, _, rest = key.rpartition("_") if not key.startswith("given_up_") else ("given_up", "", key[9:])
        integration, _, reason = rest.partition("_")
        labels = f'integration="{integration}"'
        labels += f',receiver_name="{receiver}"' if receiver else ""
        labels += f',reason="{reason}"' if reason else ""
        lines.append(f"alertmanager_{metrics.get(kind, 'notifications_failed_total')}{{{labels}}} {value}")
    return "\n".join(lines) + "\n"


def reading(text: str = "", *, ours: float = 0, ours_before: float | None = None) -> Reading:
    return Reading(read_counts(text or page()), ours, ours if ours_before is None else ours_before)


def watching(*expected: str, first: Reading | None = None) -> Watch:
    return Watch(("people",), expected, first or reading())


def test_what_is_counted_at_two_looks_has_arrived():
    watch = watching("email")
    watch.look(reading(page(made_email=1)))
    assert (watch.reached, watch.is_settled) == (set(), False)
    watch.look(reading(page(made_email=1)))

    assert (watch.reached, watch.is_settled) == ({"email"}, True)


def test_a_request_that_is_counted_before_it_is_counted_as_failed_has_not_arrived():
    watch = watching("email")
    for n in range(1, 6):
        watch.look(reading(page(made_email=n, failed_email=n - 1)))
        watch.look(reading(page(made_email=n, failed_email=n)))

    assert watch.reached == set()
    assert watch.still_trying(reading(page(made_email=5, failed_email=5))) == {"email": 5}


def test_what_arrived_before_does_not_count():
    watch = watching("email", first=reading(page(made_email=7, failed_email=2)))
    for _ in range(3):
        watch.look(reading(page(made_email=7, failed_email=2)))

    assert watch.reached == set()
    assert watch.still_trying(reading(page(made_email=7, failed_email=2))) == {}


def test_what_arrives_after_failures_has_arrived():
    watch = watching("email")
    watch.look(reading(page(made_email=2, failed_email=2)))
    for _ in range(2):
        watch.look(reading(page(made_email=3, failed_email=2)))

    assert watch.reached == {"email"}
    assert watch.still_trying(reading(page(made_email=3, failed_email=2))) == {}


def test_a_notification_by_an_integration_that_is_not_expected_is_not_looked_at():
    watch = watching("email")
    for _ in range(3):
        watch.look(reading(page(made_slack=5, given_up_slack_other=5)))

    assert (watch.reached, watch.failed) == (set(), {})


def test_beginning_is_not_arriving():
    """``notifications_total`` rises when a notification is begun."""
    watch = watching("webhook")
    begun = page().replace(
        'notifications_total{integration="webhook"} 99', 'notifications_total{integration="webhook"} 100'
    )
    for _ in range(3):
        watch.look(reading(begun))

    assert watch.reached == set()


# --- Given up


def test_the_reason_is_told():
    watch = watching("email", first=reading(page(given_up_email_other=9)))
    watch.look(reading(page(given_up_email_other=9, given_up_email_clientError=1)))

    assert (watch.failed, watch.is_settled) == ({"email": "clientError"}, True)


def test_alertmanager_0_25_tells_no_reason():
    watch = watching("email")
    watch.look(reading(page(given_up_email=1)))

    assert watch.failed == {"email": "no reason told"}


def test_all_that_is_expected_has_to_be_settled():
    watch = watching("email", "slack")
    watch.look(reading(page(given_up_email_other=1)))
    assert not watch.is_settled
    for _ in range(2):
        watch.look(reading(page(given_up_email_other=1, made_slack=1)))

    assert watch.is_settled


# --- Deliveries to ourselves


def test_deliveries_to_ourselves_are_taken_off():
    watch = watching("webhook")
    watch.look(reading(page(made_webhook=3), ours=3, ours_before=0))
    watch.look(reading(page(made_webhook=3), ours=3))

    assert watch.reached == set()


def test_one_more_than_ours_is_for_people():
    watch = watching("webhook")
    watch.look(reading(page(made_webhook=4), ours=3, ours_before=0))
    watch.look(reading(page(made_webhook=4), ours=3))

    assert watch.reached == {"webhook"}


def test_ours_that_has_arrived_and_is_counted_only_later_is_taken_off_all_the_same():
    watch = watching("webhook")
    watch.look(reading(page(), ours=1, ours_before=0))
    for _ in range(2):
        watch.look(reading(page(made_webhook=1), ours=1))

    assert watch.reached == set()


def test_a_noisy_first_reading_hides_rather_than_invents():
    watch = watching("webhook", first=reading(page(), ours=5, ours_before=3))
    for _ in range(3):
        watch.look(reading(page(made_webhook=2), ours=5))

    assert watch.reached == set()


def test_ours_that_fails_is_not_people_failing():
    watch = watching("webhook")
    watch.look(reading(page(made_webhook=1, failed_webhook=1, given_up_webhook_clientError=1), ours=1, ours_before=0))

    assert watch.failed == {}


def test_other_integrations_are_not_ours():
    watch = watching("email")
    for _ in range(2):
        watch.look(reading(page(made_email=1), ours=7, ours_before=7))

    assert watch.reached == {"email"}


@pytest.mark.parametrize(("receiver", "reached"), [("people", {"webhook"}), ("responder", set()), ("team-a", set())])
def test_where_receivers_are_told_apart_only_the_right_one_counts(receiver: str, reached: set[str]):
    watch = watching("webhook")
    for _ in range(2):
        watch.look(reading(page(receiver, made_webhook=1), ours=1, ours_before=0))

    assert watch.reached == reached


# --- Alertmanager itself


def test_counters_that_start_anew_are_no_news():
    watch = watching("email", first=reading(page(made_email=7, given_up_email_other=4)))
    for _ in range(3):
        watch.look(reading(page(made_email=0, given_up_email_other=0)))

    assert (watch.reached, watch.failed) == (set(), {})


@pytest.mark.parametrize(
    "text", ["", "<html>", "up 1\n", 'alertmanager_notification_requests_total{integration="x"} y\n']
)
def test_a_page_of_something_else_is_an_error(text: str):
    with pytest.raises(ValueError, match=r"no counts of notifications|could not convert"):
        read_counts(text)


def test_integrations_come_from_the_configuration():
    config = {
        "receivers": [
            {"name": "people", "email_configs": [{"to": "a"}], "msteamsv2_configs": [{}], "labels": {"name": "people"}},
            {"name": "nobody"},
            {"name": "emptied", "slack_configs": []},
        ]
    }

    assert integrations(config) == {
        "people": frozenset({"email", "msteamsv2"}),
        "nobody": frozenset(),
        "emptied": frozenset(),
    }
