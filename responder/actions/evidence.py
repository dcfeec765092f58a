"""Ask the application what it knows of itself, by a hook, and keep the answer. Mends nothing; 2xx means it answered."""

import asyncio
from collections.abc import Iterable

from homeostat.directory import resolve_hook
from homeostat.errors import HomeostatError, Unreachable
from homeostat.steps import EvidenceStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.deadline import Deadline
from responder.actions.hook import posted
from responder.capture.answers import told
from responder.capture.asking import in_thread
from responder.capture.base import Subject
from responder.capture.redact import secrets_of
from responder.capture.run import subjects_of
from responder.targets import Target

#: Of all answers together, in the ledger; no more is read of any of them.
_BYTES = 32 * 1024
#: Of the time, for what the engine knows of a container's secrets.
_SECRETS_S = 1.0


class Evidence:
    """All containers of the target at the same time, or its process. Kept as responder/capture keeps what it sees:
    ``{"subjects": {name: {hook: lines}}}``, or ``{"not_there": why}`` for the lines.
    """

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:
        assert isinstance(step, EvidenceStep)  # noqa: S101 - the table pairs them
        spec = target.workload.hooks[step.hook]
        # One URL for several containers is asked once.
        places = {url: each for each in subjects_of(target) if (url := resolve_hook(spec, each.container))}
        if not places:
            return Skipped(f"hook {step.hook}: its container has no address now")
        deadline = Deadline.of_step(step.timeout, tools.clock)
        answers = await asyncio.gather(
            *(_answer(each, url, _BYTES // len(places), deadline, tools) for url, each in places.items())
        )
        failed = [answer for answer in answers if isinstance(answer, HomeostatError)]
        if len(failed) == len(answers):
            raise failed[0]
        kept = {
            each.name: {step.hook: {"not_there": str(answer)} if isinstance(answer, HomeostatError) else answer}
            for each, answer in zip(places.values(), answers, strict=True)
        }
        return Applied(f"hook {step.hook}: {len(answers) - len(failed)} of {len(answers)} answered", {"subjects": kept})


async def _answer(
    subject: Subject, url: str, most_bytes: int, deadline: Deadline, tools: Tools
) -> list[str] | HomeostatError:
    """Its lines, or why there are none."""
    secrets = await _secrets(subject, tools)
    body = b""
    try:
        async with asyncio.timeout(deadline.left_s), posted(url, tools.session) as response:
            while len(body) <= most_bytes and (more := await response.content.read(most_bytes)):
                body += more
    except TimeoutError:
        return Unreachable("the hook did not answer in time")
    except HomeostatError as err:
        return err
    is_cut = len(body) > most_bytes
    return await in_thread(lambda: told(body[:most_bytes], secrets, most_bytes, is_cut=is_cut))


async def _secrets(subject: Subject, tools: Tools) -> Iterable[str]:
    """Of its environment, as far as that can be known now: what looks like a secret is taken out in any case."""
    if subject.container is None:
        process = tools.settings().processes.get(subject.name)
        return secrets_of(process.env) if process else ()
    if tools.engine is None:
        return ()
    try:
        return secrets_of((await tools.engine.details(subject.container.id, _SECRETS_S)).environment)
    except HomeostatError:
        return ()
