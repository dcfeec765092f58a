"""Asserts in the modules beside the tests say as much as those in tests."""

import pytest

pytest.register_assert_rewrite("besieged", "properties", "rawhttp")
