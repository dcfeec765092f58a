"""Views -> HTML. jinja2 is loaded when somebody looks for the first time: until then the responder stays small."""

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "templates"


class Renderer:
    """Works in threads: reading templates blocks, and long pages take a while."""

    def __init__(self) -> None:
        self._environment: Environment | None = None
        self._loading = threading.Lock()

    async def page(self, template: str, **values: object) -> str:
        return await asyncio.to_thread(self._render, template, values)

    def _render(self, template: str, values: dict[str, object]) -> str:
        with self._loading:
            if self._environment is None:
                self._environment = _load()
        return self._environment.get_template(template).render(values)


def _load() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - 2 MB that few need

    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,  # everything shown is data of others
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


RENDERER = web.AppKey("renderer", Renderer)
