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

What grows is the record itself (lines, episodes), and with it what names its parts. Nothing expires but leases and turns.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Full names. ``prefix``: without braces."""

    prefix: str

    @property
    def head(self) -> str:
        return self._of("head")

    @property
    def turn(self) -> str:
        return self._of("turn")

    @property
    def lines(self) -> str:
        return self._of("lines")

    @property
    def episodes(self) -> str:
        return self._of("episodes")

    @property
    def latest(self) -> str:
        return self._of("latest")

    @property
    def open(self) -> str:
        return self._of("open")

    @property
    def escalated(self) -> str:
        return self._of("escalated")

    @property
    def undelivered(self) -> str:
        return self._of("undelivered")

    @property
    def open_workloads(self) -> str:
        return self._of("open-workloads")

    @property
    def unfinished_workloads(self) -> str:
        return self._of("unfinished-workloads")

    @property
    def opened(self) -> str:
        return self._of("opened")

    @property
    def steps(self) -> str:
        return self._of("steps")

    @property
    def measures(self) -> str:
        return self._of("measures")

    @property
    def holds(self) -> str:
        return self._of("holds")

    @property
    def last_token(self) -> str:
        return self._of("last-token")

    def episode_lines(self, episode_id: int) -> str:
        return self._of(f"episode-lines:{episode_id}")

    def unfinished(self, workload: str) -> str:
        return self._of(f"unfinished:{workload}")

    def lease(self, workload: str) -> str:
        return self._of(f"lease:{workload}")

    def _of(self, name: str) -> str:
        return f"{{{self.prefix}}}:{name}"
