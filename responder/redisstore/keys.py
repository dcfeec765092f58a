"""Where things are in Redis. All names begin with ``{PREFIX}:``: the braces keep them on one node of a cluster.

=========================== ======= ================================================================================
``head``                    string  what every change is held against: how many changes there were, the last line's
                                    number and digest, the last episode's number
``turn``                    string  who writes next, after a conflict; expires
``lines``                   hash    number -> line. Numbers have no gaps, so they are the order and the index
``episodes``                hash    number -> episode; likewise
``episode-lines:NUMBER``    list    numbers of the episode's lines
``latest``                  hash    fingerprint -> number of its newest episode
``open``                    zset    episodes whose trouble lasts, by number
``unfinished:WORKLOAD``     zset    its episodes without a final state, by number; gone with the last one
``escalated``               zset    escalated ones whose trouble lasts, by number
``undelivered``             zset    of those, the ones that Alertmanager has not taken yet
``open-workloads``          zset    workload -> how many of its episodes are open; gone at none
``unfinished-workloads``    zset    likewise
``opened``                  zset    workload -> when its newest episode was opened
``steps``                   zset    numbers of ``started`` lines, by time
``measures``                hash    token -> what is to be put back
``holds``                   hash    pattern -> hold
``lease:WORKLOAD``          string  "TOKEN OWNER"; expires with the lease
``last-token``              string  the newest token of all leases; only grows
=========================== ======= ================================================================================

What grows is the record itself (lines, episodes), and what names its parts. Nothing expires but leases and turns.
"""


class Keys:
    """Full names. ``prefix``: without braces."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.head = self._of("head")
        self.turn = self._of("turn")
        self.lines = self._of("lines")
        self.episodes = self._of("episodes")
        self.latest = self._of("latest")
        self.open = self._of("open")
        self.escalated = self._of("escalated")
        self.undelivered = self._of("undelivered")
        self.open_workloads = self._of("open-workloads")
        self.unfinished_workloads = self._of("unfinished-workloads")
        self.opened = self._of("opened")
        self.steps = self._of("steps")
        self.measures = self._of("measures")
        self.holds = self._of("holds")
        self.last_token = self._of("last-token")

    def episode_lines(self, episode_id: int) -> str:
        return self._of(f"episode-lines:{episode_id}")

    def unfinished(self, workload: str) -> str:
        return self._of(f"unfinished:{workload}")

    def lease(self, workload: str) -> str:
        return self._of(f"lease:{workload}")

    def _of(self, name: str) -> str:
        return f"{{{self._prefix}}}:{name}"
