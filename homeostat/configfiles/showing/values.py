"""Where the values stand in a text, of every format: so that what is shown of a file can leave some of them out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from homeostat.configfiles.formats import envscan, iniscan, jsonscan, tomlload, yamlload
from homeostat.configfiles.formats.spans import Node, walked
from homeostat.explain import KeyPath

#: Joins the parts of a dotted key within braces, in TOML's spans.
_JOINED = "\0"


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar: ``text[start:end]``, with its quotes."""

    path: KeyPath
    start: int
    end: int


def _env(text: str) -> Iterator[Value]:
    for line in envscan.scan(text):
        if line.kind is envscan.Kind.ENTRY:
            yield Value((line.name,), line.value_at, line.value_end)


def _yaml(text: str) -> Iterator[Value]:
    yield from _below(yamlload.load(text).root, ())


def _json(text: str) -> Iterator[Value]:
    yield from _below(jsonscan.scan(text).root, ())


def _toml(text: str) -> Iterator[Value]:
    for statement in tomlload.load(text).statements:
        if statement.entry is not None:
            yield from _below(statement.entry.node, statement.path)


def _ini(text: str) -> Iterator[Value]:
    for name, section in iniscan.scan(text).items():
        for key, option in section.options.items():
            yield Value((name, key), option.value_start, option.end)


def _below(root: Node | None, at: KeyPath) -> Iterator[Value]:
    if root is None:
        return
    if root.entries is None:
        yield Value(at, root.start, root.end)
    for path, entry in walked(root, at):
        if entry.node.entries is None:
            parts = [name for part in path for name in (part.split(_JOINED) if isinstance(part, str) else [part])]
            yield Value(tuple(parts), entry.node.start, entry.node.end)


#: Format -> all values of a text. Raises NotParsed; only `.env` goes on behind a line that is wrong.
VALUES: Mapping[str, Callable[[str], Iterator[Value]]] = {
    "env": _env,
    "yaml": _yaml,
    "json": _json,
    "toml": _toml,
    "ini": _ini,
}
