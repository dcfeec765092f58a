"""TOML: read by the standard library, changed in place."""

from homeostat.configfiles.formats.base import Parsed
from homeostat.configfiles.formats.edits import (
    check_value,
    has,
    has_value,
    must_have,
    naming,
    verified,
    with_change,
    without,
)
from homeostat.configfiles.formats.tomledit import added, removed, replaced
from homeostat.configfiles.formats.tomlload import load, places
from homeostat.explain import KeyPath


class Toml:
    """A new key stands behind the last one of its table. A table is set key by key, or taken out as a whole; a new one
    is written within braces.
    """

    def read(self, text: str) -> Parsed:
        loaded = load(text)
        return Parsed(loaded.data, places(text, loaded.statements))

    def set(self, text: str, path: KeyPath, value: object) -> str:
        loaded = load(text)
        if has_value(loaded.data, path, value):
            return text
        edit = replaced if has(loaded.data, path) else added
        with naming(path):
            check_value(value)
            data = with_change(loaded.data, path, value)
            after = edit(text, loaded.statements, path, value)
        return verified(self.read, after, data, path)

    def unset(self, text: str, path: KeyPath) -> str:
        loaded = load(text)
        must_have(loaded.data, path)
        with naming(path):
            after = removed(text, loaded.statements, path)
        return verified(self.read, after, without(loaded.data, path), path)
