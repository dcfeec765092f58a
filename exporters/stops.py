"""Did somebody ask the engine to end this container, or did it crash? Pure: from what events told, and from inspect."""

import re
import signal
from dataclasses import dataclass

from homeostat.containers import Container, ContainerEvent

#: A signal that has not ended the container by then was taken as something else (PID 1 ignores TERM by default).
#: A longer `docker stop` is known by its `stop` event.
KILL_COUNTS_S = 60.0
#: How far before a container's end its history may reach: the default grace of `docker stop`, and some.
HISTORY_S = 15.0
#: An end is told within this time, or its event was dropped.
_TOLD_WITHIN_S = 3.0
#: A `die` event carries its own time, which is a little later than the end that inspect tells.
_SLACK_S = 1.0
_RTMIN = 34  # as the engine counts, on every Linux
_ENDING = frozenset({2, 3, 9, 15})  # INT, QUIT, KILL, TERM


@dataclass(slots=True)
class Heard:
    """When the engine last told something of one container, epoch seconds; 0 for never. Order does not matter."""

    kill: float = 0.0
    stop: float = 0.0
    die: float = 0.0
    oom: float = 0.0
    oom_count: int = 0
    #: The end for which the engine was asked again.
    asked: float = 0.0


def note(heard: Heard, event: ContainerEvent, stop_signal: str) -> None:
    """Keep what ``event`` tells. The same event twice changes nothing."""
    match event.action:
        # Podman does not tell which signal: better a crash too few than a start of what somebody ended.
        case "kill" if not event.signal or is_ending(event.signal, stop_signal):
            heard.kill = max(heard.kill, event.at)
        case "stop":
            heard.stop = max(heard.stop, event.at)
        case "die":
            heard.die = max(heard.die, event.at)
        case "oom" if event.at > heard.oom:
            heard.oom = event.at
            heard.oom_count += 1
        case _:
            pass


def is_stop_requested(container: Container, heard: Heard, now: float) -> bool | None:
    """Whether its end, past or under way, was asked for through the engine's API since it last started.

    None when nobody can tell: it ended, and the engine does not remember how.
    """
    started, finished = container.started_at, container.finished_at
    if started is None:
        return False
    if heard.stop > started:
        return True
    if container.is_running or finished is None:
        return heard.kill > started and now - heard.kill <= KILL_COUNTS_S
    if heard.kill > started and finished - heard.kill <= KILL_COUNTS_S:
        return True
    return False if heard.die >= finished - _SLACK_S else None


def is_end_told(container: Container, heard: Heard) -> bool:
    """Whether an event has told of its end, or it has not ended."""
    finished = container.finished_at
    return container.is_running or finished is None or heard.die >= finished - _SLACK_S


def is_end_untold(container: Container, heard: Heard, now: float) -> bool:
    """Whether it ended, no event has said so in time, and the engine was not asked again about this end."""
    finished = container.finished_at
    if finished is None or heard.asked >= finished:
        return False
    return not is_end_told(container, heard) and now - finished > _TOLD_WITHIN_S


def is_ending(sent: str, stop_signal: str) -> bool:
    """Whether a signal (``15``, ``TERM``, ``SIGTERM``) asks to end: the usual ones, and the image's own stop signal."""
    number = signal_number(sent)
    return number is not None and (number in _ENDING or number == signal_number(stop_signal))


def signal_number(text: str) -> int | None:
    """The number of ``15``, ``TERM``, ``SIGTERM`` or ``SIGRTMIN+3``; None when there is none."""
    if text.isdecimal():
        return int(text)
    name = text.upper().removeprefix("SIG")
    if match := re.fullmatch(r"RTMIN(?:\+(\d+))?", name):
        return _RTMIN + int(match[1] or 0)
    try:
        return signal.Signals[f"SIG{name}"]
    except KeyError:
        return None
