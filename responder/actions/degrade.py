"""Ask the application to do less for a while: a hook with a lease, so that it goes back by itself when we are gone."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp

from homeostat.containers import Container
from homeostat.directory import describe, resolve_hook
from homeostat.errors import NotFound, Permanent, Unreachable
from homeostat.steps import DegradeStep, Step
from homeostat.workloads import Workload
from responder.actions.base import Applied, Memo, Skipped, Tools
from responder.actions.memos import read_memo, write_memo
from responder.targets import Target

#: What says that there is nothing to end: no such hook, no degradation, or one that has ended by itself.
_NOTHING_TO_END = (404, 410)
#: The hook takes POST only: the lease ends it.
_NO_DELETE = (405, 501)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who was asked. No URLs: they may hold a secret, and the address may be another container's by now.

    ``containers``: ids; none for a supervised process or a hook elsewhere.
    """

    workload: str
    hook: str
    containers: tuple[str, ...]


class Degrade:
    """All containers of the target at the same time. See docs/hooks.md for what the application promises."""

    async def prepare(self, step: Step, target: Target, tools: Tools) -> Memo | Skipped:  # noqa: ARG002 - nothing to ask
        assert isinstance(step, DegradeStep)  # noqa: S101 - the table pairs them
        if not _urls(target.workload, step.hook, target.containers):
            return _lacking(step, target)
        return write_memo(_Asked(target.workload.id, step.hook, tuple(each.id for each in target.containers)))

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, DegradeStep)  # noqa: S101 - the table pairs them
        urls = _urls(target.workload, step.hook, target.containers)
        if not urls:
            return _lacking(step, target)
        await _ask(step, urls, tools)
        return Applied(f"hook {step.hook}: {len(urls)} asked to do less, for {step.lease:g} s at a time")

    async def renew(self, step: Step, memo: Memo, tools: Tools) -> None:
        """A container that was started again meanwhile is asked anew; one that is gone needs nothing."""
        assert isinstance(step, DegradeStep)  # noqa: S101 - the table pairs them
        await _ask(step, await _urls_now(read_memo(_Asked, memo), tools), tools)

    async def undo(self, step: Step, memo: Memo, tools: Tools) -> str:
        assert isinstance(step, DegradeStep)  # noqa: S101 - the table pairs them
        try:
            urls = await _urls_now(read_memo(_Asked, memo), tools)
        except NotFound as err:
            return f"{err}: it goes back by itself within {step.lease:g} s"
        statuses = await _send("DELETE", urls, step, tools, fine=(*_NOTHING_TO_END, *_NO_DELETE))
        if any(status in _NO_DELETE for status in statuses):
            return f"hook {step.hook} takes no DELETE: it goes back by itself within {step.lease:g} s"
        return f"hook {step.hook}: {len(urls)} told to go back"


def _lacking(step: DegradeStep, target: Target) -> Skipped:
    if step.hook not in target.workload.hooks:
        return Skipped(f"the workload has no hook {step.hook}")
    return Skipped(f"hook {step.hook}: its container has no address now")


def _urls(workload: Workload, hook: str, containers: Iterable[Container]) -> list[str]:
    """Where the hook is now; nothing for a workload without it."""
    spec = workload.hooks.get(hook)
    if spec is None:
        return []
    return sorted({url for each in tuple(containers) or (None,) if (url := resolve_hook(spec, each))})


async def _urls_now(asked: _Asked, tools: Tools) -> list[str]:
    """Of those who were asked, where they are now. Raises NotFound when the hook is no longer theirs."""
    containers = [each for container_id in asked.containers if (each := await _found(container_id, tools))]
    if asked.containers and not containers:
        return []
    workload = describe(asked.workload, containers, tools.settings())
    if asked.hook not in workload.hooks:
        raise NotFound(f"{asked.workload} has no hook {asked.hook} any more")
    return _urls(workload, asked.hook, containers)


async def _found(container_id: str, tools: Tools) -> Container | None:
    if tools.engine is None:
        return None
    try:
        return await tools.engine.inspect(container_id)
    except NotFound:
        return None


async def _ask(step: DegradeStep, urls: list[str], tools: Tools) -> None:
    await _send("POST", urls, step, tools, body={"lease_seconds": step.lease})


async def _send(
    method: str,
    urls: list[str],
    step: DegradeStep,
    tools: Tools,
    *,
    fine: tuple[int, ...] = (),
    body: dict[str, float] | None = None,
) -> list[int]:
    """The statuses. One that is slow must not keep the others from hearing of it."""
    answers = await asyncio.gather(
        *(_request(method, url, step, tools.session, body) for url in urls), return_exceptions=True
    )
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        if answer >= 300 and answer not in fine:  # noqa: PLR2004 - HTTP
            raise Permanent(f"hook {step.hook} answered {answer} to {method}")
    return [answer for answer in answers if isinstance(answer, int)]


async def _request(
    method: str, url: str, step: DegradeStep, session: aiohttp.ClientSession, body: dict[str, float] | None
) -> int:
    try:
        async with (
            asyncio.timeout(step.timeout),
            session.request(method, url, json=body, allow_redirects=False) as response,
        ):
            await response.content.read(4096)
            return response.status
    except TimeoutError:
        raise Unreachable(f"hook {step.hook} did not answer within {step.timeout:g} s") from None
    except (aiohttp.ClientError, OSError) as err:
        raise Unreachable(f"hook {step.hook} does not answer: {type(err).__name__}") from err
