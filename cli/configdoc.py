"""docs/configuration.md, from the models themselves: keys, defaults and the reasons written beside them.

``python -m cli.configdoc`` writes it; a test fails when it is not current.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from homeostat import (
    commandspec,
    ladders,
    probespec,
    processspec,
    sections,
    settings,
    steps,
    workloadlabels,
    workloadspec,
)
from homeostat.explain import key_of
from homeostat.quantities import parse_duration, parse_size
from homeostat.rendering import ROOT
from homeostat.structure import Parsed

PAGE = ROOT / "docs/configuration.md"

_INTRO = f"""<!-- Made by `make generate` from homeostat/settings.py and its neighbours; edit those. -->
# Configuration

Everything is optional. Durations are written `500ms`, `10s`, `5m`, `1h30m`; sizes `64KiB`, `4MiB`, `1GiB`.
Any key can be given by environment: `HOMEOSTAT__RESPONDER__LISTEN=127.0.0.1:9902`. Unknown and duplicate keys are
errors. Relative paths are relative to the settings file. Check a file with `homeostat check`.

A container says the same by labels: {workloadlabels.DOCUMENTED};
`autoheal=true` counts as `homeostat.enable=true`. What a `homeostat.probe` label says besides the target is said of all
probes of the container. A label runs no program here and reads no file: `command`, `promql` and files are for
homeostat.yml. A workload that stands in homeostat.yml is described by the file alone.
"""

_SECTIONS: tuple[tuple[str, type], ...] = (
    ("(top level)", settings.Settings),
    ("exporter", sections.ExporterSettings),
    ("exporter.process_groups.NAME", sections.ProcessGroup),
    ("responder", sections.ResponderSettings),
    ("responder.tls", sections.Tls),
    ("responder.caps[]", sections.Cap),
    ("responder.storm", sections.Storm),
    ("responder.maintenance[]", sections.MaintenanceWindow),
    ("responder.store", sections.SharedStore),
    ("responder.commands.NAME", commandspec.Command),
    ("guardian", sections.GuardianSettings),
    ("stack", sections.StackSettings),
    ("stack.remote_write", sections.RemoteWrite),
    ("docker", sections.DockerSettings),
    ("docker.compose.PROJECT", sections.ComposeFiles),
    ("workloads.PROJECT/NAME", workloadspec.WorkloadSpec),
    ("workloads.PROJECT/NAME.probes[]", probespec.ProbeEntry),
    ("processes.NAME", processspec.ProcessSpec),
    ("processes.NAME.check", processspec.CheckSpec),
    ("processes.NAME.limits", processspec.LimitsSpec),
    ("processes.NAME.backoff", processspec.BackoffSpec),
    ("processes.NAME.crash_loop", processspec.CrashLoopSpec),
    ("ladders.NAME", ladders.Ladder),
    *((f"ladders.NAME.steps[] (action: {name})", model) for name, model in steps.by_action().items()),
    ("ladders.NAME.steps[].verify", steps.Verification),
)


def page() -> str:
    """The whole page."""
    return _INTRO + "".join(_section(title, model) for title, model in _SECTIONS) + _default_ladders()


def _section(title: str, model: type) -> str:
    reasons = _reasons(model)
    hints = get_type_hints(model, include_extras=True)
    rows = [
        f"| `{key_of(field)}` | {_default(field, hints[field.name])} "
        f"| {_allowed(field, hints[field.name])}{reasons.get(field.name, '')} |"
        for field in fields(model)
    ]
    text = inspect.cleandoc(model.__doc__ or "")
    return "\n".join((f"\n## {title}\n", text, "\n| key | default | |", "|---|---|---|", *rows, ""))


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _default(field: Field[Any], hint: Any) -> str:
    if _is_required(field):
        return " ".join(map(str, get_args(hint))) if get_origin(hint) is Literal else "required"
    value = field.default
    if value is MISSING or is_dataclass(value) or value in ((), None):
        return ""
    return f"`{_written(value, hint)}`"


def _allowed(field: Field[Any], hint: Any) -> str:
    """The values of a closed choice."""
    choices = _choices(hint)
    if not choices or _is_required(field):
        return ""
    return " or ".join(f"`{value}`" for value in choices) + ". "


def _choices(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Literal:
        return get_args(hint)
    # Of what may be left out.
    inner = [each for each in get_args(hint) if each is not type(None)]
    return _choices(inner[0]) if len(inner) == 1 and get_origin(hint) is not tuple else ()


def _written(value: Any, hint: Any) -> str:
    """A default of any type, as people would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(item, None) for item in value) + "]"
    if is_dataclass(value):
        hints = get_type_hints(type(value), include_extras=True)
        pairs = (f"{key_of(each)}: {_written(getattr(value, each.name), hints[each.name])}" for each in fields(value))
        return "{" + ", ".join(pairs) + "}"
    parsers = [marker.parse for marker in get_args(hint) if isinstance(marker, Parsed)]
    if parse_duration in parsers:
        return _duration(value)
    return _size(value) if parse_size in parsers else str(value)


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"


def _size(count: int) -> str:
    for unit, length in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count % length == 0:
            return f"{count // length}{unit}"
    return f"{count}B"


def _reasons(model: type) -> Mapping[str, str]:
    """Comments above the fields, of the model and of what it inherits."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if cls.__module__.startswith("homeostat"):
            found |= dict(_commented(inspect.getsource(cls)))
    return found


def _commented(source: str) -> Iterator[tuple[str, str]]:
    comment: list[str] = []
    for line in source.splitlines():
        if match := re.match(r"    #:? ?(.*)", line):
            comment.append(match[1])
        elif (match := re.match(r"    (\w+): ", line)) and comment:
            yield match[1], " ".join(comment)
            comment = []
        else:
            comment = []


def _default_ladders() -> str:
    lines = ["\n## The shipped ladders\n", "| remedy | steps | then |", "|---|---|---|"]
    for remedy, ladder in ladders.DEFAULT_LADDERS.items():
        shown = " → ".join(_step(step) for step in ladder.steps) or "none"
        lines.append(f"| `{remedy}` | {shown} | {'people' if ladder.escalate else 'only recorded'} |")
    return "\n".join(lines) + "\n"


def _step(step: steps.Step) -> str:
    return f"hook `{step.hook}`" if isinstance(step, steps.HookStep) else step.action


def main(target: Path = PAGE) -> None:
    target.write_text(page())


if __name__ == "__main__":
    main()
