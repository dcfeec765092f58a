"""What an object holds in memory."""

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType, ModuleType

#: Shared by all objects of a process, or by all of a class.
_SHARED = (type, Enum, ModuleType, FunctionType, BuiltinFunctionType, str, bool, type(None))


def deep_size(root: object) -> int:
    """Bytes of it and all that it alone refers to: slots, attributes, what containers contain; each object once. Names,
    classes and small numbers are shared by everybody and not counted.
    """
    seen: set[int] = set()
    waiting, total = [root], 0
    while waiting:
        each = waiting.pop()
        if id(each) in seen or _is_shared(each):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each)
        waiting.extend(_parts(each))
    return total


def _is_shared(each: object) -> bool:
    # CPython keeps one object for each of these.
    return isinstance(each, _SHARED) or (type(each) is int and -5 <= each <= 256)


def _parts(each: object) -> Iterator[object]:
    if isinstance(each, Mapping):
        yield from each.keys()
        yield from each.values()
    elif isinstance(each, (list, tuple, set, frozenset, deque)):
        yield from each
    for owner in type(each).__mro__:
        slots = owner.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(each, name):
                yield getattr(each, name)
    if hasattr(each, "__dict__"):
        yield vars(each)
