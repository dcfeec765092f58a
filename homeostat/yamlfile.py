"""YAML with the two things PyYAML leaves out: duplicate keys are errors, and every key knows its line."""

from pathlib import Path

import yaml

from homeostat.errors import SettingsError
from homeostat.explain import KeyPath, dotted

#: Larger than any settings file a person wrote; bounds for what may be parsed.
MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_KEYS = 20_000
#: Of a mapping two belong to a value: its key, and itself.
_MAX_NODES = 2 * MAX_KEYS + 1
#: YAML reads 1:30 as a number by sixties, and that takes the square of its length.
_MAX_SIXTIES = 1000


def load(path: Path) -> tuple[dict[str, object], dict[KeyPath, int]]:
    """The mapping in ``path`` and the line (from 1) of every key path. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SettingsError([f"{path}: no such file; create it, or name another with --settings"]) from None
    except OSError as err:
        raise SettingsError([f"{path}: cannot be read: {err.strerror}"]) from err
    if len(raw) > MAX_BYTES:
        raise SettingsError([f"{path}: larger than {MAX_BYTES} bytes; allowed: a settings file"])
    try:
        return parse(raw.decode(), str(path))
    except UnicodeDecodeError as err:
        line = raw.count(b"\n", 0, err.start) + 1
        raise SettingsError([f"{path}:{line}: not UTF-8 at byte {err.start}; save the file as UTF-8"]) from err


class BoundedLoader(yaml.SafeLoader):
    """Bounded in depth, as composing is recursive, and in nodes, as each takes long."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth == MAX_DEPTH:
            raise self._too_much(f"nested deeper than {MAX_DEPTH} levels")
        if self._nodes == _MAX_NODES:
            raise self._too_much(f"more than {MAX_KEYS} values")
        self._depth += 1
        self._nodes += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _too_much(self, problem: str) -> yaml.MarkedYAMLError:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # types-PyYAML leaves it out
        return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            _check_sixties(node)
            return super().construct_object(node, deep)
        # PyYAML trusts what looks like a number, a date or a tag: 2026-13-45, !!int sixteen.
        except (ValueError, LookupError, AttributeError) as err:
            raise yaml.MarkedYAMLError(problem=self.misfit(node), problem_mark=node.start_mark) from err

    def misfit(self, node: yaml.Node) -> str:
        """What to say of a value that is not of its tag's type."""
        return f"{node.value!r:.60} is no {node.tag.rpartition(':')[2]}"


def _check_sixties(node: yaml.Node) -> None:
    if node.tag.endswith((":int", ":float")) and ":" in node.value and len(node.value) > _MAX_SIXTIES:
        raise ValueError("too long")


def parse(text: str, source: str) -> tuple[dict[str, object], dict[KeyPath, int]]:
    """As :func:`load`, from text; ``source`` names it in errors."""
    lines: dict[KeyPath, int] = {}
    try:
        loader = BoundedLoader(text)
        root = loader.get_single_node()
        _index(root, lines, source)
        data = loader.construct_document(root) if root is not None else {}
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        raise SettingsError([f"{where}: not valid YAML: {_say(err)}"]) from err
    except yaml.reader.ReaderError as err:
        line = text.count("\n", 0, err.position) + 1
        raise SettingsError(
            [f"{source}:{line}: not valid YAML: the character #x{err.character:02x} is not allowed"]
        ) from err
    if data is None:
        return {}, lines
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else "a single value"
        raise SettingsError([f"{source}:1: must be a mapping of keys (key: value), found {found}"])
    return data, lines


def _say(err: yaml.MarkedYAMLError) -> str:
    problem = str(err.problem)
    if "'\\t'" in problem:
        return "a tab; indent with spaces"
    return f"{err.context}: {problem}" if err.context else problem


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):  # as PyYAML says it, before aliases in it are followed
        context, problem = "while constructing a mapping", "found unhashable key"
        raise yaml.MarkedYAMLError(context, None, problem, node.start_mark)
    return str(node.value)


def _index(root: yaml.Node | None, lines: dict[KeyPath, int], source: str) -> None:
    # Explicit stack: nesting depth is the file's choice, recursion depth must not be.
    stack: list[tuple[yaml.Node, KeyPath]] = [(root, ())] if root is not None else []
    while stack:
        current, at = stack.pop()
        if isinstance(current, yaml.MappingNode):
            for key_node, value_node in current.value:
                key = (*at, _key(key_node))
                line = key_node.start_mark.line + 1
                if key in lines:
                    raise SettingsError(
                        [f"{source}:{line}: {dotted(key)}: given twice, first on line {lines[key]}; keep one"]
                    )
                lines[key] = line
                stack.append((value_node, key))
        elif isinstance(current, yaml.SequenceNode):
            for index, item in enumerate(current.value):
                lines[*at, index] = item.start_mark.line + 1
                stack.append((item, (*at, index)))
        # An alias is walked wherever it stands: that is where a small file becomes a large one, or an endless one.
        if len(lines) > MAX_KEYS or len(at) > MAX_DEPTH:
            bounds = f"{MAX_KEYS} values and {MAX_DEPTH} levels"
            line = current.start_mark.line + 1
            raise SettingsError([f"{source}:{line}: more than {bounds} once aliases are followed; keep them few"])
