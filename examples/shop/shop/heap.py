"""What fills this process, for the hook /hooks/heap: the most, and what has grown since the hook was asked before.

Lines of code by bytes with PYTHONTRACEMALLOC=1 in the environment; else types by objects, which costs nothing before.
"""

import gc
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field

#: Of each list: what fills a process is among the first few.
MOST = 20


@dataclass(slots=True)
class Heap:
    """Remembers one answer, so that the next can tell what has grown."""

    before: Counter[str] = field(default_factory=Counter)
    asked_at: float | None = None

    def tell(self) -> dict[str, object]:
        """Blocks for a tenth of a second or so."""
        is_traced = tracemalloc.is_tracing()
        now = _bytes_by_line() if is_traced else _objects_by_type()
        asked_at, self.asked_at = self.asked_at, time.monotonic()
        grown = now - self.before if asked_at is not None else Counter()
        self.before = now
        return {
            "unit": "bytes by line of code" if is_traced else "objects by type",
            "seconds_since_last_time": None if asked_at is None else round(self.asked_at - asked_at, 1),
            "grown": [f"+{count} {what}" for what, count in grown.most_common(MOST)],
            "most": [f"{count} {what}" for what, count in now.most_common(MOST)],
        }


def _bytes_by_line() -> Counter[str]:
    found = tracemalloc.take_snapshot().statistics("lineno")
    return Counter({str(each.traceback): each.size for each in found})


def _objects_by_type() -> Counter[str]:
    """Those that the garbage collector knows, and those that they refer to: it does not know bytes, say."""
    known = gc.get_objects()
    seen = {id(each) for each in known}
    counts = Counter(type(each).__name__ for each in known)
    for each in known:
        for other in gc.get_referents(each):
            if id(other) not in seen:
                seen.add(id(other))
                counts[type(other).__name__] += 1
    return counts
