"""Whether a Redis keeps what it has answered. Pure: its configuration in, how to write to it out.

https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

from collections.abc import Iterator, Mapping
from enum import Enum

#: What is asked for with CONFIG GET.
ASKED = ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy")


class Sync(Enum):
    """When an answer means that it is on disk."""

    ALWAYS = "always"  # with the answer itself
    ASKED_FOR = "asked for"  # with the answer to WAITAOF after it


def problems(config: Mapping[str, str], *, knows_waitaof: bool) -> list[str]:
    """What has to be set otherwise; none when it can be trusted."""
    told = {name: config.get(name, "not told") for name in ASKED}
    return list(_problems(told, knows_waitaof))


def sync(config: Mapping[str, str]) -> Sync:
    """For a configuration without problems."""
    return Sync.ALWAYS if config["appendfsync"] == "always" else Sync.ASKED_FOR


def _problems(told: Mapping[str, str], knows_waitaof: bool) -> Iterator[str]:
    if told["appendonly"] != "yes":
        yield f"appendonly is {told['appendonly']}: it would forget all at a restart; set appendonly yes"
    if told["appendfsync"] == "everysec" and not knows_waitaof:
        yield (
            "appendfsync is everysec: a power cut would cost what was answered in the last second; "
            "set appendfsync always (from Redis 7.2 on everysec will do: homeostat waits for the disk then)"
        )
    elif told["appendfsync"] not in ("always", "everysec"):
        yield f"appendfsync is {told['appendfsync']}: a power cut would cost what was answered; set appendfsync always"
    if told["no-appendfsync-on-rewrite"] != "no":
        yield (
            f"no-appendfsync-on-rewrite is {told['no-appendfsync-on-rewrite']}: while the log is rewritten, "
            "what is answered would not be on disk; set no-appendfsync-on-rewrite no"
        )
    if told["maxmemory-policy"] != "noeviction":
        yield (
            f"maxmemory-policy is {told['maxmemory-policy']}: it would throw parts of the ledger away; "
            "set maxmemory-policy noeviction"
        )
