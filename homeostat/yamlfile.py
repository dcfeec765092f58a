"""YAML with the two things PyYAML leaves out: duplicate keys are errors, and every key knows its line."""

from pathlib import Path

import yaml

from homeostat.errors import SettingsError

KeyPath = tuple[str | int, ...]

#: Larger than any settings file a person wrote; a bound for what may be parsed.
MAX_BYTES = 1 << 20


def load(path: Path) -> tuple[dict[str, object], dict[KeyPath, int]]:
    """The mapping in ``path`` and the line (from 1) of every key path. Raises SettingsError."""
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise SettingsError([f"{path}: larger than {MAX_BYTES} bytes; allowed: a settings file"])
        return parse(raw.decode(), str(path))
    except FileNotFoundError:
        raise SettingsError([f"{path}: no such file; create it, or name another with --settings"]) from None
    except OSError as err:
        raise SettingsError([f"{path}: cannot be read: {err.strerror}"]) from err
    except UnicodeDecodeError as err:
        raise SettingsError([f"{path}: not UTF-8 at byte {err.start}"]) from err


def parse(text: str, source: str) -> tuple[dict[str, object], dict[KeyPath, int]]:
    """As :func:`load`, from text; ``source`` names it in errors."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[KeyPath, int] = {}
        _index(root, (), lines, source)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        raise SettingsError([f"{where}: not valid YAML: {err.problem}"]) from err
    except yaml.YAMLError as err:
        raise SettingsError([f"{source}: not valid YAML: {err}"]) from err
    if data is None:
        return {}, lines
    if not isinstance(data, dict):
        raise SettingsError([f"{source}:1: must be a mapping of keys, found a {type(data).__name__}"])
    return data, lines


def _index(node: yaml.Node | None, path: KeyPath, lines: dict[KeyPath, int], source: str) -> None:
    # Explicit stack: nesting depth is the file's choice, recursion depth must not be.
    stack: list[tuple[yaml.Node, KeyPath]] = [(node, path)] if node is not None else []
    while stack:
        current, at = stack.pop()
        if isinstance(current, yaml.MappingNode):
            for key_node, value_node in current.value:
                key = (*at, str(key_node.value))
                line = key_node.start_mark.line + 1
                if key in lines:
                    dotted = ".".join(map(str, key))
                    raise SettingsError(
                        [f"{source}:{line}: {dotted}: given twice, first on line {lines[key]}; keep one"]
                    )
                lines[key] = line
                stack.append((value_node, key))
        elif isinstance(current, yaml.SequenceNode):
            for index, item in enumerate(current.value):
                lines[(*at, index)] = item.start_mark.line + 1
                stack.append((item, (*at, index)))
