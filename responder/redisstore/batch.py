"""Commands of one transaction, put together so that ten thousand alerts are not fifty thousand commands. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

Value = str | bytes | int | float
Command = Sequence[Value]

#: Words a command takes beside its verb and key; even, as most take pairs. Lua's stack holds 8000.
_MOST = 1000


class Batch:
    """Order is kept within one verb and key, which is all that its writers rely on."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, ...], list[Value]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, verb: str, key: str, *words: Value, option: str = "") -> None:
        """``words``: one more element of those that the command takes any number of."""
        self._words.setdefault((verb, key, option) if option else (verb, key), []).extend(words)

    def count(self, key: str, member: str, by: int) -> None:
        """In a zset that counts; what is at none is not in it."""
        self._counts[key, member] += by

    def commands(self) -> Iterator[Command]:
        for start, words in self._words.items():
            for at in range(0, len(words), _MOST):
                yield *start, *words[at : at + _MOST]
        counts = [(key, member, by) for (key, member), by in self._counts.items() if by]
        for key, member, by in counts:
            yield "ZINCRBY", key, by, member
        for key in {key for key, _, by in counts if by < 0}:
            yield "ZREMRANGEBYSCORE", key, "-inf", 0
