"""POST to a hook of the application: the softest repair. Touches nothing else; 2xx means it was taken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from homeostat.directory import resolve_hook
from homeostat.errors import Permanent, Unreachable
from homeostat.steps import HookStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.targets import Target


class Hook:
    """One POST per container, in turn; to the process's own URL when there are no containers."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, HookStep)  # noqa: S101 - the table pairs them
        spec = target.workload.hooks[step.hook]
        urls = {resolve_hook(spec, container) for container in target.containers or (None,)}
        known = sorted(url for url in urls if url)
        if not known:
            return Skipped(f"hook {step.hook}: its container has no address now")
        for url in known:
            async with posted(url, tools.session) as response:
                await response.content.read(4096)
        return Applied(f"hook {step.hook}: {len(known)} called")


@asynccontextmanager
async def posted(url: str, session: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to a POST, its body not read yet. Raises Permanent for one that is not 2xx, Unreachable for none and
    for one that breaks off while it is read.
    """
    try:
        async with session.post(url, allow_redirects=False) as response:
            if response.status >= 300:  # noqa: PLR2004 - HTTP
                raise Permanent(f"the hook answered {response.status}")
            yield response
    except (aiohttp.ClientError, OSError) as err:
        raise Unreachable(f"the hook does not answer: {type(err).__name__}") from err
