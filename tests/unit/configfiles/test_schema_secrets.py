"""Which keys are secrets, and that their values are never shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeostat.configfiles.schema.envschema import EnvSchema
from homeostat.configfiles.secrets import (
    MASK,
    has_userinfo,
    is_placeholder,
    is_secret_name,
    mask,
    mask_userinfo,
    secret_names,
)
from homeostat.structure import written


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "DBPASSWORD",
        "db-passwd",
        "POSTGRES_PASS",
        "MYSQL_PWD",
        "SECRET_KEY_BASE",
        "clientSecret",
        "authToken",
        "APIKey",
        "apikey",
        "STRIPE_KEY",
        "key1",
        "AWS_CREDENTIALS",
        "JWT_PRIVATE_PEM",
        "SENTRY_DSN",
        "REDIS_AUTH",
        "PASSWORD_SALT",
    ],
)
def test_these_are_names_of_secrets(name: str):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "_",
        "PORT",
        "KEYBOARD",
        "MONKEY",
        "BYPASS",
        "PASSENGERS",
        "COMPASS",
        "AUTHOR",
        "AUTH_ENABLED",
        "POSTGRES_PASSWORD_FILE",
        "SSH_KEY_PATH",
        "SECRETS_DIR",
        "VAPID_PUBLIC_KEY",
        "DATABASE_URL",
    ],
)
def test_these_are_not(name: str):
    assert not is_secret_name(name)


def test_the_schema_is_asked_first_then_the_name_then_the_value():
    schema = written(EnvSchema, {"keys": {"TOKEN_TTL": {"secret": False}, "ID": {"secret": True}, "API_KEY": {}}})
    data = {"TOKEN_TTL": "5", "ID": "7", "API_KEY": "x", "PASS": "x", "A_URL": "redis://:x@h", "B_URL": "redis://h"}

    assert secret_names(schema, data) == {"ID", "API_KEY", "PASS", "A_URL"}
    assert secret_names(None, data) == {"TOKEN_TTL", "API_KEY", "PASS", "A_URL"}


def test_all_below_a_secret_key_is_masked_and_what_is_empty_stays():
    data = {
        "port": 8080,
        "password": 4711,
        "token": {"a": ["x", {"b": True}], "n": None, "e": ""},
        "list": [{"secret": "x", "name": "y"}, "redis://u:p@h/0"],
    }

    assert mask(data) == {
        "port": 8080,
        "password": MASK,
        "token": {"a": [MASK, {"b": MASK}], "n": None, "e": ""},
        "list": [{"secret": MASK, "name": "y"}, f"redis://{MASK}@h/0"],
    }


def test_the_names_that_are_secret_can_be_said():
    assert mask({"a": "x", "password": "y"}, {"a"}.__contains__) == {"a": MASK, "password": "y"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://app:pw@db:5432/shop", "postgres://***@db:5432/shop"),
        ("a://u:p@ss@h b://v@i", "a://***@h b://***@i"),
        ("https://example.org/@scope", "https://example.org/@scope"),
        ("https://example.org?mail=a@b", "https://example.org?mail=a@b"),
        ("ops@example.org", "ops@example.org"),
    ],
)
def test_users_and_passwords_in_urls_are_masked(text: str, masked: str):
    assert mask_userinfo(text) == masked
    assert has_userinfo(text) == (text != masked)


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=20), st.sampled_from(["password", "API_TOKEN", "nested"]))
def test_no_value_of_a_secret_key_is_shown(value: str, name: str):
    shown = mask({name: value} if name != "nested" else {"key": [{"x": value}]})

    assert value == "" or value in "***[]{}': ,xkeypasswordAPI_TOKEN" or value not in repr(shown)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ["://" * 300_000, "a" * 1_000_000, "://" + "u" * 1_000_000, "@" * 1_000_000])
def test_no_text_makes_masking_slow(text: str):
    assert mask({"a": text}) == {"a": text}
    assert not is_placeholder(text)
