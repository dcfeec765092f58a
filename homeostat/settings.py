"""homeostat.yml -> frozen Settings. Strict: an unknown key, a wrong unit or a duplicate is an error that names
file, line, key path, value and what is allowed. ``HOMEOSTAT__RESPONDER__LISTEN=...`` overrides the file.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from homeostat import yamlfile
from homeostat.commandspec import Command
from homeostat.configfiles.spec import ManagedFile
from homeostat.errors import SettingsError
from homeostat.explain import At, Invalid, KeyPath, Problem, dotted, shown
from homeostat.globs import parse_file_glob
from homeostat.ladders import DEFAULT_LADDERS, Ladder
from homeostat.probespec import ProbeEntry
from homeostat.processspec import Name, ProcessSpec
from homeostat.sections import DockerSettings, ExporterSettings, GuardianSettings, ResponderSettings, StackSettings
from homeostat.steps import ExecStep, PruneStep
from homeostat.structure import Checked, written
from homeostat.workloads import LOCAL, is_workload_id
from homeostat.workloadspec import WorkloadSpec

ENV_PREFIX = "HOMEOSTAT__"


def _is_workload(name: str) -> None:
    if not is_workload_id(name):
        raise At((), "is not a workload; allowed: PROJECT/SERVICE, for example shop/web or local/api")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything homeostat is told. Paths are absolute after loading."""

    state_dir: Path = Path("state")
    exporter: ExporterSettings = field(default_factory=ExporterSettings)
    responder: ResponderSettings = field(default_factory=ResponderSettings)
    guardian: GuardianSettings = field(default_factory=GuardianSettings)
    stack: StackSettings = field(default_factory=StackSettings)
    docker: DockerSettings = field(default_factory=DockerSettings)
    workloads: Mapping[Annotated[str, Checked(_is_workload)], WorkloadSpec] = field(default_factory=dict)
    processes: Mapping[Name, ProcessSpec] = field(default_factory=dict)
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    #: Configuration files that are validated, versioned, watched and restored (docs/config-files.md).
    config_files: Mapping[Name, ManagedFile] = field(default_factory=dict)
    #: Where their versions are kept; left out, `config` in state_dir. The same folder for exporter, responder and CLI.
    config_dir: Path | None = None

    def __post_init__(self) -> None:
        problems = [problem for name in self.workloads for problem in self._references(name)]
        problems += self._unknown_commands()
        if problems:
            raise ExceptionGroup("settings", problems)

    def _unknown_commands(self) -> Iterator[At]:
        known = ", ".join(sorted(self.responder.commands)) or "add it to responder.commands"
        for name, ladder in self.ladders.items():
            for index, step in enumerate(ladder.steps):
                if isinstance(step, ExecStep) and step.command not in self.responder.commands:
                    path = ("ladders", name, "steps", index, "command")
                    yield At(path, f"no command {step.command!r}; allowed: {known}")

    def _references(self, name: str) -> Iterator[At]:
        """What a workload names that is not there."""
        spec, path = self.workloads[name], ("workloads", name)
        known = sorted(self.all_ladders())
        for remedy, ladder in spec.ladders.items():
            if ladder not in known:
                yield At((*path, "ladders", remedy), f"no ladder {ladder!r}; allowed: {', '.join(known)}")
        for index, other in enumerate(spec.depends_on):
            if other == name:
                yield At((*path, "depends_on", index), f"{other!r}: the workload itself; allowed: others")
            elif problem := self._unknown_process(other):
                yield At((*path, "depends_on", index), problem)
        if problem := self._unknown_process(name):
            yield At(path, problem)
        if name.startswith(f"{LOCAL}/") and (target := spec.target_without_host()):
            yield At((*path, *target), "a process has no address of its own; allowed: a target with a host")

    def _unknown_process(self, workload_id: str) -> str | None:
        project, _, process = workload_id.partition("/")
        if project != LOCAL or process in self.processes:
            return None
        return f"no process {process!r}; allowed: {', '.join(sorted(self.processes)) or 'add it to processes'}"

    def all_ladders(self) -> dict[str, Ladder]:
        """Shipped ladders, with the file's in front."""
        return {**DEFAULT_LADDERS, **self.ladders}

    def ladder(self, remedy: str, overrides: Mapping[str, str]) -> Ladder | None:
        """The ladder for a remedy of a workload with these ladder overrides; None when there is none."""
        return self.all_ladders().get(overrides.get(remedy, remedy))


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from ``path`` and overrides from the environment. Raises SettingsError, one line per problem."""
    data, lines = yamlfile.load(path)
    return build(data, lines, str(path), base=path.parent.resolve(), environ=environ)


def defaults(base: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings when there is no file."""
    return build({}, {}, "defaults", base=base.resolve(), environ=environ)


def build(
    data: dict[str, object],
    lines: Mapping[KeyPath, int],
    source: str,
    *,
    base: Path,
    environ: Mapping[str, str],
) -> Settings:
    """Validate parsed data. Relative paths become absolute against ``base``."""
    places = {path: f"{source}:{line}" for path, line in lines.items()} | _overlay(data, environ)
    try:
        settings = written(Settings, data)
    except Invalid as err:
        raise SettingsError([_place(problem, places, source) for problem in err.problems]) from None
    completed = _completed(_absolute(settings, base), base)
    if problems := list(_own_files(completed)):
        raise SettingsError([_place(problem, places, source) for problem in problems])
    return completed


def _absolute(value: Any, base: Path) -> Any:  # of any type that settings are made of
    """All paths in it, at any depth, absolute against ``base``."""
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _absolute(getattr(value, each.name), base) for each in fields(value)})
    match value:
        case Path():
            return base / value
        case tuple():
            return tuple(_absolute(item, base) for item in value)
        case dict():
            return {key: _absolute(item, base) for key, item in value.items()}
        case _:
            return value


def _completed(settings: Settings, base: Path) -> Settings:
    """With the defaults that other settings decide."""
    prometheus = f"http://{settings.stack.prometheus}"
    workloads = {
        name: replace(spec, probes=tuple(_asking(entry, prometheus) for entry in spec.probes))
        for name, spec in settings.workloads.items()
    }
    processes = {name: replace(spec, cwd=spec.cwd or base) for name, spec in settings.processes.items()}
    commands = {name: _in_folder(command, base) for name, command in settings.responder.commands.items()}
    responder = replace(settings.responder, commands=commands)
    return replace(settings, workloads=workloads, processes=processes, responder=responder)


def _in_folder(command: Command, base: Path) -> Command:
    return command if command.in_container else replace(command, cwd=command.cwd or base)


def _own_files(settings: Settings) -> Iterator[Problem]:
    """Globs of steps that would delete what homeostat itself keeps. What a ``**`` meets is seen when it is met."""
    home = Path(os.path.normpath(settings.state_dir))
    for name, ladder in settings.ladders.items():
        for index, step in enumerate(ladder.steps):
            for nth, text in enumerate(step.files if isinstance(step, PruneStep) else ()):
                if Path(parse_file_glob(text).root).is_relative_to(home):
                    path = ("ladders", name, "steps", index, "files", nth)
                    yield Problem(path, f"is in state_dir ({home}); allowed: files of others", shown(text))


def _asking(entry: ProbeEntry, prometheus: str) -> ProbeEntry:
    return replace(entry, server=entry.server or prometheus) if entry.promql is not None else entry


def _overlay(data: dict[str, object], environ: Mapping[str, str]) -> dict[KeyPath, str]:
    """Put the environment's values into ``data``; the variable of each key path that it gave."""
    given: dict[KeyPath, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(ENV_PREFIX):
            continue
        *sections, key = variable.removeprefix(ENV_PREFIX).lower().split("__")
        target = data
        for section in sections:
            inner = target.setdefault(section, {})
            if not isinstance(inner, dict):
                raise SettingsError([f"{variable}: {section} is not a section"])
            target = inner
        # As in the file: a number, a boolean or a [list] is one here too.
        target[key] = yamlfile.parse(f"value: {value}", variable)[0]["value"]
        given[*sections, key] = variable
    return given


def _place(problem: Problem, places: Mapping[KeyPath, str], source: str) -> str:
    """``homeostat.yml:12: responder.listen: 'x': must be ...``."""
    above = (problem.path[:length] for length in range(len(problem.path), 0, -1))
    where = next((places[path] for path in above if path in places), source)
    return f"{where}: {dotted(problem.path)}: {problem.text}"
