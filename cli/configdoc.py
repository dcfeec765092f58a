"""docs/configuration.md, from the models themselves: keys, defaults and the reasons written beside them.

``python -m cli.configdoc`` writes it; a test fails when it is not current.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from homeostat import ladders, settings, workloadspec
from homeostat.rendering import ROOT

PAGE = ROOT / "docs/configuration.md"

_INTRO = """<!-- Made by `make generate` from homeostat/settings.py and its neighbours; edit those. -->
# Configuration

Everything is optional. Durations are written `500ms`, `10s`, `5m`, `1h30m`; sizes `64KiB`, `4MiB`, `1GiB`.
Any key can be given by environment: `HOMEOSTAT__RESPONDER__LISTEN=127.0.0.1:9902`. Unknown and duplicate keys are
errors. Check a file with `homeostat check`.

A container says the same by labels: `homeostat.enable`, `homeostat.hold`, `homeostat.probe.http`,
`homeostat.probe.tcp`, `homeostat.probe.interval`, `homeostat.probe.timeout`, `homeostat.hook.NAME`,
`homeostat.ladder.REMEDY`, `homeostat.memory_threshold`, `homeostat.start_grace`; `autoheal=true` counts as
`homeostat.enable=true`. A workload that stands in homeostat.yml is described by the file alone.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("(top level)", settings.Settings),
    ("exporter", settings.ExporterSettings),
    ("responder", settings.ResponderSettings),
    ("responder.caps[]", settings.Cap),
    ("guardian", settings.GuardianSettings),
    ("stack", settings.StackSettings),
    ("docker", settings.DockerSettings),
    ("workloads.PROJECT/NAME", workloadspec.WorkloadSpec),
    ("workloads.PROJECT/NAME.probes[]", workloadspec.ProbeEntry),
    ("processes.NAME", settings.ProcessSpec),
    ("processes.NAME.check", settings.CheckSpec),
    ("processes.NAME.limits", settings.LimitsSpec),
    ("processes.NAME.backoff", settings.BackoffSpec),
    ("processes.NAME.crash_loop", settings.CrashLoopSpec),
    ("ladders.NAME", ladders.Ladder),
    ("ladders.NAME.steps[] (action: hook)", ladders.HookStep),
    ("ladders.NAME.steps[] (action: unpause)", ladders.UnpauseStep),
    ("ladders.NAME.steps[] (action: restart)", ladders.RestartStep),
    ("ladders.NAME.steps[].verify", ladders.Verification),
)


def page() -> str:
    """The whole page."""
    return _INTRO + "".join(_section(title, model) for title, model in _SECTIONS) + _default_ladders()


def _section(title: str, model: type[BaseModel]) -> str:
    reasons = _reasons(model)
    rows = [
        f"| `{field.alias or name}` | {_default(field)} | {_allowed(field)}{reasons.get(name, '')} |"
        for name, field in model.model_fields.items()
    ]
    text = inspect.cleandoc(model.__doc__ or "")
    return "\n".join((f"\n## {title}\n", text, "\n| key | default | |", "|---|---|---|", *rows, ""))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return (
            "required"
            if get_origin(field.annotation) is not Literal
            else " ".join(map(str, get_args(field.annotation)))
        )
    value = field.get_default(call_default_factory=True)
    return "" if isinstance(value, BaseModel) or value in ((), {}, None) else f"`{_written(field, value)}`"


def _allowed(field: FieldInfo) -> str:
    """The values of a closed choice."""
    if get_origin(field.annotation) is not Literal or field.is_required():
        return ""
    return " or ".join(f"`{value}`" for value in get_args(field.annotation)) + ". "


def _written(field: FieldInfo, value: Any) -> str:  # a default of any field type
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and field.metadata and "duration" in str(field.metadata):
        return _duration(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(field, item) for item in value) + "]"
    if isinstance(value, BaseModel):
        return "{" + ", ".join(f"{k}: {_written(type(value).model_fields[k], v)}" for k, v in value) + "}"
    return _size(value) if "size" in str(field.metadata) and isinstance(value, int) else str(value)


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


def _reasons(model: type[BaseModel]) -> Mapping[str, str]:
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
        steps = " → ".join(_step(step) for step in ladder.steps) or "none"
        lines.append(f"| `{remedy}` | {steps} | {'people' if ladder.escalate else 'only recorded'} |")
    return "\n".join(lines) + "\n"


def _step(step: ladders.Step) -> str:
    return f"hook `{step.hook}`" if isinstance(step, ladders.HookStep) else step.action


def main(target: Path = PAGE) -> None:
    target.write_text(page())


if __name__ == "__main__":
    main()
