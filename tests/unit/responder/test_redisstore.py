"""The parts of the Redis store that need no server: where it is, whether it can be trusted, what is sent."""

from pathlib import Path

import pytest

from responder.ledger import StoreError
from responder.redisstore import durability
from responder.redisstore.batch import Batch
from responder.redisstore.durability import Sync
from responder.redisstore.place import Place

PASSWORD = "s3cret-Pa55"
GOOD = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}


# --- Where it is


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://ledger", "ledger:6379"),
        ("redis://ledger:6380/", "ledger:6380"),
        ("redis://ledger/2", "ledger:6379/2"),
        (f"rediss://ann:{PASSWORD}@10.0.0.7:6380/0?ssl_ca_certs=/ca.pem", "10.0.0.7:6380/0"),
        (f"redis://:{PASSWORD}@[::1]:6380", "[::1]:6380"),
        (f"unix://ann:{PASSWORD}@/run/redis.sock?db=3", "/run/redis.sock"),
    ],
)
def test_people_are_told_where_it_is_and_not_who_we_are(url: str, where: str):
    assert Place(url).where == where


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ledger:6379",
        f"http://:{PASSWORD}@ledger",
        f"redis://:{PASSWORD}@",
        f"redis://:{PASSWORD}@ledger:0",
        f"redis://:{PASSWORD}@ledger:port",
        f"redis://:{PASSWORD}/with-a-slash@ledger:6379",
        f"redis://:{PASSWORD}#with-a-hash@ledger:6379",
        f"redis://ledger:6379/{PASSWORD}",
        f"redis://[{PASSWORD}",
        "unix://",
    ],
)
def test_a_url_of_another_form_is_refused_without_being_repeated(url: str):
    with pytest.raises(StoreError, match="allowed: redis://") as caught:
        Place(url)

    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_two_passwords_are_one_too_many():
    with pytest.raises(StoreError, match=r"ledger:6379 .*allowed: one") as caught:
        Place(f"redis://:{PASSWORD}@ledger", Path("file"))

    assert PASSWORD not in str(caught.value)


def test_a_place_does_not_show_its_password_when_it_is_printed():
    assert PASSWORD not in repr(Place(f"redis://:{PASSWORD}@ledger"))


# --- Whether it can be trusted


def test_a_server_that_writes_each_command_to_disk_is_trusted():
    assert durability.problems(GOOD, knows_waitaof=False) == []
    assert durability.sync(GOOD) is Sync.ALWAYS


def test_a_server_that_writes_each_second_is_trusted_when_it_can_be_waited_for():
    config = {**GOOD, "appendfsync": "everysec"}

    assert durability.problems(config, knows_waitaof=True) == []
    assert durability.sync(config) is Sync.ASKED_FOR


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("appendonly", "no", "set appendonly yes"),
        ("appendfsync", "no", "set appendfsync always"),
        ("no-appendfsync-on-rewrite", "yes", "set no-appendfsync-on-rewrite no"),
        ("maxmemory-policy", "allkeys-lru", "set maxmemory-policy noeviction"),
    ],
)
def test_what_would_lose_something_is_named_with_what_to_set(name: str, value: str, words: str):
    [found] = durability.problems({**GOOD, name: value}, knows_waitaof=True)

    assert found.startswith(f"{name} is {value}: ")
    assert found.endswith(words)


def test_all_that_is_wrong_is_told_at_once():
    assert len(durability.problems({}, knows_waitaof=True)) == len(durability.ASKED)


# --- What is sent


def test_what_one_command_can_say_is_one_command():
    batch = Batch()
    for n in range(3):
        batch.add("HSET", "lines", n, f"line {n}")
        batch.add("ZADD", "opened", n, "shop/web", option="GT")

    assert list(batch.commands()) == [
        ("HSET", "lines", 0, "line 0", 1, "line 1", 2, "line 2"),
        ("ZADD", "opened", "GT", 0, "shop/web", 1, "shop/web", 2, "shop/web"),
    ]


def test_no_command_is_longer_than_lua_can_hold_and_no_pair_is_torn():
    batch = Batch()
    for n in range(10_000):
        batch.add("HSET", "lines", n, f"line {n}")

    commands = list(batch.commands())

    assert max(map(len, commands)) < 8000
    pairs = [pair for command in commands for pair in zip(command[2::2], command[3::2], strict=True)]
    assert pairs == [(n, f"line {n}") for n in range(10_000)]


def test_counts_are_added_up_and_those_at_none_are_cleared_away():
    batch = Batch()
    for member, by in [("a", 1), ("b", 1), ("a", 1), ("b", -1), ("c", -1)]:
        batch.count("open", member, by)

    assert list(batch.commands()) == [
        ("ZINCRBY", "open", 2, "a"),
        ("ZINCRBY", "open", -1, "c"),
        ("ZREMRANGEBYSCORE", "open", "-inf", 0),
    ]
