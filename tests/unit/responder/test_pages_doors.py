"""Who may see the status page, and whether everybody can read it."""

import re

import pytest
from fakes.clock import FakeClock

from homeostat.rendering import ROOT
from responder.pages.doors import is_known_host
from responder.pages.forms import WrongTokens

LISTEN = "127.0.0.1:9802"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:9802", "127.0.0.1", "localhost:9802", "localhost:8080", "LOCALHOST", "[::1]:9802", "10.0.0.7:9802"],
)
def test_addresses_and_localhost_are_known(host: str):
    assert is_known_host(host, LISTEN)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:9802",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1:9802.evil.example",
        "evil.example@localhost",
        "localhost@evil.example",
        "localhost/evil.example",
        "localhost#evil.example",
        "localhost evil.example",
        "localhost.",
        "0x7f.1",
        "[evil.example]:80",
        "localhost\n",
        "localhost:port",
    ],
)
def test_names_that_somebody_else_may_have_in_the_dns_are_not(host: str):
    assert not is_known_host(host, LISTEN)


def test_a_name_that_the_settings_listen_on_is_known():
    assert is_known_host("homeostat.internal:9802", "homeostat.internal:9802")
    assert not is_known_host("homeostat.internal:9802", LISTEN)


def test_after_ten_wrong_tokens_within_a_minute_the_next_waits_for_the_rest_of_it():
    clock = FakeClock(0.0)
    wrong = WrongTokens(clock)
    for _ in range(10):
        assert wrong.wait_s() == 0
        wrong.note()
        clock.advance(1.0)

    assert wrong.wait_s() == 50
    clock.advance(49.9)
    assert wrong.wait_s() == 1
    clock.advance(0.1)
    assert wrong.wait_s() == 0
    wrong.note()
    assert wrong.wait_s() == 1


# --- Colours

CSS = (ROOT / "responder/pages/static/style.css").read_text()
TEXT_ON = [
    ("text", "page"),
    ("text", "card"),
    ("soft", "page"),
    ("soft", "card"),
    ("link", "page"),
    ("link", "card"),
    *((tone, f"{tone}-bg") for tone in ("good", "busy", "bad", "unknown")),
    ("primary-text", "primary"),
]


def colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    found = colours(scheme)
    brighter, darker = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)

    assert (brighter + 0.05) / (darker + 0.05) >= 4.5
