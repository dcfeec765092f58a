"""What several files of fuzz tests share."""

from collections.abc import Iterator

import pytest

# Their asserts say as much as those in tests.
pytest.register_assert_rewrite("besieged", "properties", "rawhttp")

from besieged import Besieged, besieged  # noqa: E402 - see above


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """One for all tests of a file: what one leaves behind, the next ones meet."""
    with besieged(tmp_path_factory.mktemp("besieged")) as place:
        yield place


@pytest.fixture
def unharmed(place: Besieged) -> Iterator[None]:
    """After the test."""
    yield
    place.check()
