"""What was seen of a workload whose alert had ended serves its other alerts of the same rule that had ended by then.

Their evidence is the same. After a storm a workload has many of them, and each would keep its worker for a whole hold.
"""

from homeostat import names
from responder.evidence import APART
from responder.ledger import Episode
from responder.verify import Judgement

#: How long what was seen speaks of now.
_GOOD_FOR_S = 10.0

_Key = tuple[str, ...]


class Quiet:
    """Times are epoch seconds."""

    def __init__(self) -> None:
        self._seen: dict[_Key, tuple[float, float, Judgement]] = {}

    def note(self, episode: Episode, began: float, judgement: Judgement, now: float) -> None:
        """``judgement``: verified, of a look from ``began`` until ``now``."""
        self._seen = {key: seen for key, seen in self._seen.items() if now - seen[1] < _GOOD_FOR_S}
        self._seen[_key(episode)] = (began, now, judgement)

    def seen(self, episode: Episode, now: float) -> Judgement | None:
        """What holds for this one, too."""
        found = self._seen.get(_key(episode))
        if found is None or episode.resolved_at is None:
            return None
        began, ended, judgement = found
        return judgement if episode.resolved_at <= began and now - ended < _GOOD_FOR_S else None


def _key(episode: Episode) -> _Key:
    """What the evidence is about: a workload or one container of it, and a rule. Rules may share a name; severity and
    remedy tell them apart.
    """
    told = (names.WORKLOAD, names.CONTAINER, "alertname", names.SEVERITY, names.REMEDY, *APART)
    return tuple(episode.labels.get(name, "") for name in told)
