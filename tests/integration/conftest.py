"""What several files of integration tests share."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from fakes.stack import Site


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[Callable[..., Site]]:
    """Makes an installation of its own from sections of homeostat.yml."""
    async with aiohttp.ClientSession() as session:
        yield lambda **data: Site(tmp_path / "site", session, data)
