"""A `.env` file and the compose files that use it: variables that nobody sets, and values that nobody uses."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from homeostat.configfiles.errors import NotParsed, Place
from homeostat.configfiles.formats.envtemplate import NAME_SHOWN, Pieces, Reference, parse_template
from homeostat.configfiles.formats.spans import Lines
from homeostat.configfiles.schema.base import Violation, bounded
from homeostat.configfiles.schema.composetexts import Scalar, scalars

#: Read by the docker program itself, wherever compose files are.
_OF_DOCKER = ("COMPOSE_", "DOCKER_", "BUILDKIT_")


@dataclass(frozen=True, slots=True)
class Use:
    """One `${VAR}` in a compose file. ``operator``: ``:-`` and so on, empty for none. ``word``: uses in what stands
    behind it.
    """

    name: str
    operator: str
    place: Place
    word: tuple["Use", ...] = ()

    @property
    def has_default(self) -> bool:
        return self.operator.endswith("-")

    @property
    def is_required(self) -> bool:
        """Compose refuses to go on without it."""
        return self.operator.endswith("?")

    def all(self) -> Iterator["Use"]:
        """Itself and those in its word, in the order of the text."""
        yield self
        for use in self.word:
            yield from use.all()


def compose_variables(text: str) -> Mapping[str, tuple[Use, ...]]:
    """All uses of each variable, in the order of the file. Raises NotParsed, with the place, for what is no YAML and
    for a `${` that is no variable: compose refuses both.
    """
    found: dict[str, list[Use]] = {}
    for outer in _uses(text):
        for use in outer.all():
            found.setdefault(use.name, []).append(use)
    return {name: tuple(uses) for name, uses in found.items()}


def check_compose(text: str, env: Collection[str], environ: Collection[str] = ()) -> tuple[Violation, ...]:
    """What the compose file needs and neither the `.env` file nor the environment has. Places are of the compose file.

    ``env`` and ``environ``: names; or names with values, then an empty one is known to be empty. A word counts only
    where it is used: of ``${A:-${B}}``, B does while A has no value. Raises NotParsed as :func:`compose_variables`.
    """
    values = {**_values(env), **_values(environ)}
    return bounded(_violation(use) for use in _lacking(_uses(text), values))


def unused(env_names: Iterable[str], uses: Collection[str], *, env_file_used: bool) -> tuple[str, ...]:
    """Names of a `.env` file that no compose file uses. None when a service has it as its `env_file`: the application
    may use each of them.
    """
    if env_file_used:
        return ()
    return tuple(name for name in env_names if name not in uses and not name.startswith(_OF_DOCKER))


def _values(names: Collection[str]) -> Mapping[str, object]:
    return names if isinstance(names, Mapping) else dict.fromkeys(names, "some value")


def _lacking(uses: Iterable[Use], values: Mapping[str, object]) -> Iterator[Use]:
    for use in uses:
        # With a colon, an empty value counts as none.
        has_value = use.name in values and not (use.operator.startswith(":") and values[use.name] in (None, ""))
        if not has_value and (use.is_required or not use.operator):
            yield use
        if has_value == use.operator.endswith("+"):
            yield from _lacking(use.word, values)


def _violation(use: Use) -> Violation:
    if use.is_required:
        words = "required by a compose file, but has no value; set it in the .env file"
    else:
        default = f"${{{use.name:.{NAME_SHOWN}}:-default}}"
        words = f"used by a compose file, but has no value; set it in the .env file, or write {default}"
    return Violation((use.name,), words, "compose-variable", use.place)


def _uses(text: str) -> Iterator[Use]:
    """The outer ones; others are in their words."""
    lines = Lines(text)
    for scalar in scalars(text, lines):
        try:
            pieces = parse_template(scalar.value)
        except NotParsed as err:
            raise NotParsed(err.words, lines.place(scalar.start)) from None
        yield from _in_words(pieces, _Reader(text, lines, scalar, scalar.start))


def _in_words(pieces: Pieces, reader: "_Reader") -> tuple[Use, ...]:
    return tuple(_use(piece, reader) for piece in pieces if isinstance(piece, Reference))


def _use(reference: Reference, reader: "_Reader") -> Use:
    place = reader.next(reference)
    return Use(reference.name, reference.operator, place, _in_words(reference.argument, reader))


@dataclass(slots=True)
class _Reader:
    """Finds references of a scalar in the file, one after the other."""

    text: str
    lines: Lines
    scalar: Scalar
    at: int
    last: Place = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.lines.place(self.at)

    def next(self, reference: Reference) -> Place:
        """Names are one word: folding and indentation leave them whole. From one on that quoting hides ("\\x24A"), they
        are told at the last that was seen.
        """
        form = re.escape(reference.name)
        found = re.compile(rf"\$\{{?{form}").search(self.text, self.at, self.scalar.end)
        # Looking on for each of many hidden ones would take the square of the length.
        self.at = found.end() if found else self.scalar.end
        if found:
            self.last = self.lines.place(found.start())
        return self.last
