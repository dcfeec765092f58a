"""Free disk space: old files of the owner's globs, dangling images. What is deleted is gone; other files stay."""

import asyncio
import os
import threading

from homeostat.errors import NotSupported, Permanent
from homeostat.globs import parse_file_glob
from homeostat.steps import PruneStep, Step
from responder.actions.base import Applied, Skipped, Tools
from responder.actions.deadline import Deadline
from responder.actions.oldfiles import MOST_FILES, Identity, Sweep, Swept
from responder.targets import Target

_MIB = 2**20


class Prune:
    """Files first. The same for every target: the step names what it deletes."""

    async def apply(self, step: Step, target: Target, tools: Tools) -> Applied | Skipped:  # noqa: ARG002 - as said above
        assert isinstance(step, PruneStep)  # noqa: S101 - the table pairs them
        deadline = Deadline.of_step(step.timeout, tools.clock)
        swept = await _sweep(step, tools, deadline) if step.files else Swept()
        told = [_told(swept)] if swept.files else []
        if step.dangling_images:
            told += await _prune_images(step, tools, deadline)
        if told:
            return Applied("; ".join(told))
        if swept.problems:
            raise Permanent(f"nothing could be deleted: {_problems(swept)}")
        held = f" that no process holds open ({swept.held} are held)" if swept.held else ""
        return Skipped(f"there is nothing older than {step.older_than:g} s to delete{held}")


async def _sweep(step: PruneStep, tools: Tools, deadline: Deadline) -> Swept:
    if os.unlink not in os.supports_dir_fd:
        raise NotSupported("files cannot be deleted safely on this system: it opens no folder by another")
    given_up = threading.Event()  # a thread cannot be cancelled
    sweep = Sweep(
        before=tools.clock.now() - step.older_than,
        forbidden=_own_folders(tools),
        is_over=lambda: given_up.is_set() or deadline.is_over,
    )
    try:
        await asyncio.to_thread(sweep.run, [parse_file_glob(glob) for glob in step.files])
    finally:
        given_up.set()
    return sweep.swept


def _own_folders(tools: Tools) -> frozenset[Identity]:
    """Whatever the globs and the links in state_dir's own path say."""
    try:
        found = tools.settings().state_dir.stat()
    except FileNotFoundError:
        return frozenset()
    return frozenset({(found.st_dev, found.st_ino)})


async def _prune_images(step: PruneStep, tools: Tools, deadline: Deadline) -> list[str]:
    if tools.engine is None:
        raise NotSupported("no container engine is configured, whose images could be deleted")
    pruned = await tools.engine.prune_images(step.older_than, deadline.left_s)
    return [f"{pruned.count} images and layers deleted, {pruned.bytes / _MIB:.1f} MiB"] if pruned.count else []


def _told(swept: Swept) -> str:
    parts = [f"{swept.files} files deleted, {swept.bytes / _MIB:.1f} MiB"]
    if swept.held:
        parts.append(f"{swept.held} left that a process holds open")
    if swept.problems:
        parts.append(_problems(swept))
    if swept.is_cut:
        parts.append(f"more are left (at most {MOST_FILES} at a time, within the step's time)")
    return ", ".join(parts)


def _problems(swept: Swept) -> str:
    return f"{swept.refused} left: {'; '.join(swept.problems)}"
