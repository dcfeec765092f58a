"""What ``config lint`` finds in one file: its format's rules; and, of a managed one, all that it is refused for."""

from collections.abc import Iterator, Mapping, Sequence

from cli.config_common import look
from cli.config_targets import Target
from homeostat.configfiles import text
from homeostat.configfiles.errors import FileRefused, NotParsed, Place
from homeostat.configfiles.formats.env import names, references
from homeostat.configfiles.formats.table import FORMATS
from homeostat.configfiles.lint.base import Finding, Severity
from homeostat.configfiles.lint.env import lint_env, unused_keys
from homeostat.configfiles.lint.envsecrets import has_secrets, readable_by_others
from homeostat.configfiles.lint.text import lint_text
from homeostat.configfiles.managed import ConfigFiles
from homeostat.configfiles.reading import read_bytes
from homeostat.configfiles.schema.crossfile import compose_variables, unused
from homeostat.configfiles.spec import ManagedFile

#: Who made a change is no matter of a linter.
_NOT_OF_LINT = frozenset({"foreign"})


def findings(target: Target, files: ConfigFiles) -> list[Finding]:
    """By place."""
    try:
        decoded = text.decode(target.found.raw)
    except NotParsed as err:
        return [_refused("encoding", err)]
    found = [*lint_text(decoded.content, target.format_name), *_of_env(target, decoded)]
    is_told = any(finding.severity is Severity.ERROR for finding in found)
    if target.name:
        found += _of_managed(target.name, files, is_told=is_told)
        found += _unused(files.spec(target.name), target.format_name, decoded.content)
    elif not is_told:
        found += _not_parsed(target.format_name, decoded.content)
    return sorted(found, key=lambda finding: finding.place)


def _of_env(target: Target, decoded: text.Text) -> Iterator[Finding]:
    if target.format_name != "env":
        return
    yield from lint_env(decoded.content, has_bom=decoded.has_bom)
    if not target.name:  # of a managed one the mode is judged as its settings say
        yield from readable_by_others(target.found.attributes.mode, has_secrets=has_secrets(decoded.content))


def _not_parsed(format_name: str, content: str) -> Iterator[Finding]:
    try:
        FORMATS[format_name].read(content)
    except NotParsed as err:
        yield _refused("parse", err)


def _of_managed(name: str, files: ConfigFiles, *, is_told: bool) -> Iterator[Finding]:
    """``is_told``: why it is not parsed was said already."""
    for flaw in look(files, name).flaws:
        if flaw.rule not in _NOT_OF_LINT and not (is_told and flaw.rule == "parse"):
            yield Finding(flaw.rule, flaw.place or Place(1), flaw.words, severity=Severity.ERROR)


def _unused(spec: ManagedFile, format_name: str, content: str) -> Sequence[Finding]:
    """Keys of a .env file that neither it nor its compose files refer to. None where containers get all."""
    if not spec.compose or format_name != "env":
        return ()
    uses = set(references(content))
    has_env_file = False
    for path in spec.compose:
        try:
            raw = read_bytes(path)
            compose = text.decode(raw).content if raw is not None else ""
            uses.update(compose_variables(compose))
            has_env_file |= _has_env_file(FORMATS["yaml"].read(compose).data)
        except (NotParsed, FileRefused):
            return ()  # what it uses is not known; that it is damaged is said elsewhere
    present = names(content)
    return unused_keys(content, set(present) - set(unused(present, uses, env_file_used=has_env_file)))


def _has_env_file(data: Mapping[str, object]) -> bool:
    services = data.get("services")
    rows = services.values() if isinstance(services, Mapping) else ()
    return any(isinstance(row, Mapping) and bool(row.get("env_file")) for row in rows)


def _refused(rule: str, err: NotParsed) -> Finding:
    return Finding(rule, err.place or Place(1), err.words, severity=Severity.ERROR)
