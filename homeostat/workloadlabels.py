"""What an owner says about a workload by labels of its container, in the shape of a ``workloads:`` entry."""

import re
from collections.abc import Mapping

from homeostat.errors import SettingsError
from homeostat.explain import Invalid, KeyPath, dotted
from homeostat.names import LABEL_PREFIX
from homeostat.probespec import KINDS
from homeostat.structure import written
from homeostat.workloadspec import WorkloadSpec

_SCALARS = ("enable", "hold", "memory_threshold", "start_grace", "objective", "metrics")
_NUMBERS = ("memory_threshold", "objective")
#: Of all probes of the container.
_PROBE_COMMON = ("interval", "timeout", "failures", "successes", "role")
#: Of those that know them.
_PROBE_SPECIFIC = ("status", "user")
#: A label is written by whoever may start a container, which is not always whoever runs homeostat.
_PROBE_REFUSED = ("command", "promql", "body", "ca_file", "password_file")
_PROBE_KINDS = tuple(kind for kind in KINDS if kind not in _PROBE_REFUSED)
_KEYS = (
    "enable",
    "hold",
    *(f"probe.{key}" for key in (*_PROBE_KINDS, *_PROBE_COMMON, *_PROBE_SPECIFIC)),
    "hook.NAME",
    "ladder.REMEDY",
    *_SCALARS[2:],
)
_ALLOWED = f"{LABEL_PREFIX}{', .'.join(_KEYS)}"
#: For the page that describes the settings.
DOCUMENTED = ", ".join(f"`{LABEL_PREFIX}{key}`" for key in _KEYS)
_NOT_FROM_LABELS = "a label may not run a program, query or pattern here, nor read a file; allowed: in homeostat.yml"
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


def from_labels(labels: Mapping[str, str], source: str) -> WorkloadSpec:
    """The workload's own words; ``source`` names the container in errors. Raises SettingsError.

    ``autoheal=true`` (willfarrell/docker-autoheal) counts as ``homeostat.enable=true`` unless that is given.
    """
    data = _nested(labels, source)
    try:
        return written(WorkloadSpec, data)
    except Invalid as err:
        problems = [f"{source}: label {_label(problem.path)}: {problem.text}" for problem in err.problems]
        raise SettingsError(list(dict.fromkeys(problems))) from None  # what all probes share is wrong in each


def _label(path: KeyPath) -> str:
    """``("probes", 0, "http")`` -> ``homeostat.probe.http``."""
    words = {"probes": "probe", "hooks": "hook", "ladders": "ladder"}
    return LABEL_PREFIX + dotted(tuple(words.get(part, part) for part in path if isinstance(part, str)))


def _shown(label: str) -> str:
    """On one line, and not endless."""
    return LABEL_PREFIX + dotted((label.removeprefix(LABEL_PREFIX),))


def _nested(labels: Mapping[str, str], source: str) -> dict[str, object]:
    data: dict[str, object] = {"enable": labels.get("autoheal", "") == "true"}
    probe: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {"hook": {}, "ladder": {}}
    for label, value in sorted(labels.items()):
        if not label.startswith(LABEL_PREFIX):
            continue
        match label.removeprefix(LABEL_PREFIX).split("."):
            case [key] if key in _SCALARS:
                data[key] = float(value) if key in _NUMBERS and _NUMBER.fullmatch(value) else value
            case ["probe", key] if key in (*_PROBE_KINDS, *_PROBE_COMMON, *_PROBE_SPECIFIC):
                probe[key] = value
            case ["probe", key] if key in _PROBE_REFUSED:
                raise SettingsError([f"{source}: label {_shown(label)}: {_NOT_FROM_LABELS}"])
            case [("hook" | "ladder") as group, name]:
                groups[group][name] = value
            case _:
                raise SettingsError([f"{source}: label {_shown(label)}: unknown; allowed: {_ALLOWED}"])
    return data | {"probes": _probes(probe, source), "hooks": groups["hook"], "ladders": groups["ladder"]}


def _probes(given: Mapping[str, str], source: str) -> list[dict[str, object]]:
    """One entry for each kind, with what it shares with the others and what it alone knows."""
    kinds = [kind for kind in _PROBE_KINDS if kind in given]
    for key in _PROBE_SPECIFIC:
        owners = [kind for kind in _PROBE_KINDS if key in KINDS[kind].keys]
        if key in given and not set(owners) & set(kinds):
            allowed = " or ".join(f"{LABEL_PREFIX}probe.{kind}" for kind in owners)
            raise SettingsError([f"{source}: label {LABEL_PREFIX}probe.{key}: allowed: together with {allowed}"])
    values = {key: _value(key, value) for key, value in given.items()}
    return [
        {kind: given[kind]}
        | {key: value for key, value in values.items() if key in _PROBE_COMMON or key in KINDS[kind].keys}
        for kind in kinds
    ]


def _value(key: str, text: str) -> object:
    """Labels are text; what is none stays it, to be complained of where it is checked."""
    if key == "status":
        return [_whole_number(code.strip()) for code in text.split(",")]
    return _whole_number(text) if key in ("failures", "successes") else text


def _whole_number(text: str) -> int | str:
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text
