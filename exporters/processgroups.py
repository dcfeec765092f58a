"""Processes that belong together by name or command line, measured as one.

What members used that have ended stays counted (the method of process-exporter), so that totals never go backwards.
Totals start at 0 with the exporter: what was used before would look like a leap at each start of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from exporters.processtable import Process, ProcessTable, State, Usage
from homeostat.sections import ProcessGroup


@dataclass(frozen=True, slots=True)
class GroupSample:
    """One group now. ``processes`` are without zombies. None: not for us to see of every member, or not told here.

    ``worst_fd_ratio``: the largest share of its own limit that any member has open. ``oldest_start``: epoch seconds.
    """

    processes: int
    states: Mapping[State, int]
    cpu_seconds: float
    voluntary_switches: int
    involuntary_switches: int
    resident_bytes: int | None
    anon_bytes: int | None
    threads: int | None
    open_fds: int | None
    worst_fd_ratio: float | None
    oldest_start: float | None


class _Counters(NamedTuple):
    cpu_seconds: float = 0.0
    voluntary: int = 0
    involuntary: int = 0

    def plus(self, now: "_Counters", since: "_Counters") -> "_Counters":
        """With what a member used ``since``; less than then is nothing (a zombie has no context switches any more)."""
        return _Counters(
            self.cpu_seconds + max(now.cpu_seconds - since.cpu_seconds, 0.0),
            self.voluntary + max(now.voluntary - since.voluntary, 0),
            self.involuntary + max(now.involuntary - since.involuntary, 0),
        )


@dataclass(slots=True)
class _Member:
    """A process that was seen. ``counted``: up to where; None: from the next look on. ``group`` None: of no group."""

    name: str
    group: str | None
    is_settled: bool
    counted: _Counters | None


@dataclass(slots=True)
class _Draft:
    """A group's sample while it is being made."""

    states: dict[State, int] = field(default_factory=lambda: dict.fromkeys(State, 0))
    usages: list[Usage] = field(default_factory=list)
    oldest_start: float | None = None
    is_hidden: bool = False

    def add(self, process: Process, usage: Usage) -> None:
        if process.state is not State.ZOMBIE:
            self.usages.append(usage)
            self.oldest_start = min(self.oldest_start or process.started_at, process.started_at)

    def sum_of(self, value_of: Callable[[Usage], int | None]) -> int | None:
        """None unless every member tells: a part would look like the whole."""
        values = [value_of(usage) for usage in self.usages]
        told = [value for value in values if value is not None]
        return None if self.is_hidden or len(told) < len(values) else sum(told)

    def worst_fd_ratio(self) -> float | None:
        if self.sum_of(lambda usage: usage.open_fds) is None:
            return None
        ratios = [usage.open_fds / usage.max_fds for usage in self.usages if usage.open_fds and usage.max_fds]
        has_limits = any(usage.max_fds for usage in self.usages) or not self.usages
        return max(ratios, default=0.0) if has_limits else None


class ProcessGroups:
    """Tells processes apart once, and measures those that belong to a group at each call.

    A process belongs to the first group that fits. It is asked for its command line when it is new or has another name,
    and once more at the next look: it may have been in the middle of fork and exec, with the old line or none yet.
    """

    def __init__(self, groups: Mapping[str, ProcessGroup], table: ProcessTable) -> None:
        self._table = table
        self._groups = {
            name: (frozenset(map(table.known_as, group.names)), re.compile(group.command) if group.command else None)
            for name, group in groups.items()
        }
        self._sessions: Mapping[int, str] = {}
        self._totals: dict[str, _Counters] = {}
        self._known: dict[tuple[int, float], _Member] | None = None

    def sample(self, sessions: Mapping[int, str] = MappingProxyType({})) -> dict[str, GroupSample]:
        """All groups, also those without a member. Blocking: 10 us for each process there is. One call at a time.

        ``sessions``: leader's pid -> a group that is all of its session (setsid(2)), whatever its members are called.
        """
        self._sessions = sessions
        drafts = {name: _Draft() for name in (*self._groups, *sessions.values())}
        self._totals = {name: self._totals.get(name, _Counters()) for name in drafts}
        known: dict[tuple[int, float], _Member] = {}
        for process in self._table.processes():
            member = None if self._known is None else self._known.get(process.key)
            if member is None or not member.is_settled or member.name != process.name:
                member = self._judge(process, member)
            if member.group not in drafts or self._count(process, member, member.group, drafts[member.group]):
                known[process.key] = member
        self._known = known
        return {name: _finished(draft, self._totals[name]) for name, draft in drafts.items()}

    def _judge(self, process: Process, before: _Member | None) -> _Member:
        group = self._group_of(process)
        if group is None and before is not None and process.state is State.ZOMBIE:
            group = before.group  # it has lost its command line
        if before is None:
            # At the first scan nobody is new: what they have used was used before anybody looked.
            return _Member(process.name, group, False, None if self._known is None else _Counters())
        is_late = before.group is None and not before.is_settled
        counted = before.counted if is_late or before.group == group else None
        return _Member(process.name, group, before.name == process.name, counted)

    def _group_of(self, process: Process) -> str | None:
        if process.session in self._sessions:
            return self._sessions[process.session]
        command: str | None = None
        for name, (names, pattern) in self._groups.items():
            if process.name in names:
                return name
            if pattern is not None:
                command = process.command() if command is None else command
                if command and pattern.search(command):
                    return name
        return None

    def _count(self, process: Process, member: _Member, group: str, draft: _Draft) -> bool:
        """Add one member; False when it has gone."""
        try:
            usage = process.usage()
        except PermissionError:
            draft.is_hidden = True
        else:
            if usage is not None:
                self._advance(group, member, usage)
                draft.add(process, usage)
            elif process.state is not State.ZOMBIE:
                return False
        draft.states[process.state] += 1
        return True

    def _advance(self, group: str, member: _Member, usage: Usage) -> None:
        now = _Counters(usage.cpu_seconds, usage.voluntary_switches, usage.involuntary_switches)
        if member.counted is not None:
            self._totals[group] = self._totals[group].plus(now, since=member.counted)
        member.counted = now


def _finished(draft: _Draft, total: _Counters) -> GroupSample:
    return GroupSample(
        processes=sum(draft.states.values()) - draft.states[State.ZOMBIE],
        states=draft.states,
        cpu_seconds=total.cpu_seconds,
        voluntary_switches=total.voluntary,
        involuntary_switches=total.involuntary,
        resident_bytes=draft.sum_of(lambda usage: usage.resident_bytes),
        anon_bytes=draft.sum_of(lambda usage: usage.anon_bytes),
        threads=draft.sum_of(lambda usage: usage.threads),
        open_fds=draft.sum_of(lambda usage: usage.open_fds),
        worst_fd_ratio=draft.worst_fd_ratio(),
        oldest_start=draft.oldest_start,
    )
