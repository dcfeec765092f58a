"""Whether bytes may stand in a managed file: encoding, syntax, schema, and what other files expect of it."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from homeostat.configfiles import text
from homeostat.configfiles.errors import FileRefused, NotParsed, Place, located
from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.table import FORMATS, format_of
from homeostat.configfiles.schema import Schema, load_schema
from homeostat.configfiles.schema.base import Violation, placed
from homeostat.configfiles.schema.crossfile import check_compose
from homeostat.configfiles.spec import ManagedFile

#: Bytes of another file, as they will be when a change of several is done; None when there is no such file.
ReadOther = Callable[[Path], bytes | None]
SchemaOf = Callable[[ManagedFile], Schema | None]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One reason why a file is not good. ``rule``: a word for metrics; ``words``: for people, without values."""

    rule: str
    words: str
    place: Place | None = None

    def of(self, path: Path) -> str:
        return f"{located(path, self.place)}: {self.words}"


@dataclass(frozen=True, slots=True)
class Validated:
    """``parsed``: None when it is not even of its format."""

    parsed: Parsed | None
    flaws: tuple[Flaw, ...]


def format_name(spec: ManagedFile) -> str:
    """As said, else by the file's name, else plain text."""
    return spec.format or format_of(spec.path) or "text"


def schema_file(spec: ManagedFile) -> Schema | None:
    """As the file says that ``schema`` names. Raises FileRefused."""
    return load_schema(spec.schema, format_name(spec)) if spec.schema is not None else None


def validate(spec: ManagedFile, raw: bytes, read_other: ReadOther, schema_of: SchemaOf = schema_file) -> Validated:
    """Pure but for reading the schema and the other files. Raises FileRefused when the schema itself, or a file that
    has to be compared, is of no use.
    """
    try:
        content = text.decode(raw).content
        parsed = _parsed(content, format_name(spec))
    except NotParsed as err:
        return Validated(None, (Flaw("parse", err.words, err.place),))
    return Validated(parsed, tuple(_beyond_syntax(spec, parsed, read_other, schema_of(spec))))


def _parsed(content: str, name: str) -> Parsed:
    """Raises NotParsed."""
    if not content.strip():
        raise NotParsed("is empty; allowed: settings, or a comment that says that there are none")
    return Parsed({}, {}) if name == "text" else FORMATS[name].read(content)


def _beyond_syntax(spec: ManagedFile, parsed: Parsed, read_other: ReadOther, schema: Schema | None) -> Iterator[Flaw]:
    if schema is not None:
        for violation in placed(schema.check(parsed.data), parsed.places):
            yield Flaw("schema", violation.text, violation.place)
    if spec.example is not None and (example := read_other(spec.example)) is not None:
        with _naming(spec.example):
            keys = tuple(FORMATS["env"].read(text.decode(example).content).data)
        yield from _missing(parsed.data, keys, spec.example)
    for compose in spec.compose:
        if (raw := read_other(compose)) is not None:
            with _naming(compose):
                violations = check_compose(text.decode(raw).content, parsed.data)
            yield from _undefined(violations, compose)


@contextlib.contextmanager
def _naming(other: Path) -> Iterator[None]:
    """Which file it is that is damaged: not the one that is judged."""
    try:
        yield
    except NotParsed as err:
        raise FileRefused(f"{err.of(other)}; mend it, as another file has to fit to it") from None


def _missing(data: Mapping[str, object], keys: Sequence[str], example: Path) -> Iterator[Flaw]:
    for key in keys:
        if key not in data:
            yield Flaw("missing-key", f"{key} is in {example.name} and not here; add it")


def _undefined(violations: Iterable[Violation], compose: Path) -> Iterator[Flaw]:
    for violation in violations:
        where = located(compose, violation.place)
        yield Flaw("undefined-variable", f"{where} uses what is not here: {violation.text}")
