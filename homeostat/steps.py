"""Steps of repair: one model per action, named by its ``action`` key. Data only; responder/actions acts.

Adding an action: a model here and in ``Step``, a file in responder/actions and a line in its table.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args, get_type_hints

from homeostat.databaseaddresses import is_postgres_address, is_redis_address
from homeostat.explain import At
from homeostat.globs import is_file_glob
from homeostat.processspec import Name
from homeostat.quantities import Duration, Line, Period, Size, above, at_least, at_most, matching
from homeostat.structure import Checked, Tagged


class Tier(StrEnum):
    """How much force a step uses. Evidence is kept before the hard ones, and caps count them."""

    SOFT = "soft"
    MEDIUM = "medium"
    HARD = "hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """When a step counts as having worked.

    ``within``: the evidence must become good in this time after the step (a start grace of the workload is added).
    ``hold``: and then stay good, every second, for this time.
    """

    within: Duration = 10.0
    hold: Duration = 4.0
    #: How much longer the alert's rule and ``promql`` may take, where what they rest on is measured late. A workload
    #: that is down or ill for ``within`` on end meanwhile is not waited for.
    lag: Duration = 0.0
    #: One more thing that has to be true: at least one sample, and none of them 0. ``$workload`` stands for the
    #: workload's id, quoted.
    promql: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBase:
    """What every step has."""

    #: The step is passed over unless this PromQL expression has a sample, and none of them 0. ``$workload`` stands for
    #: the workload's id, quoted.
    when: Line | None = None
    #: A person has to approve it first (`homeostat approve`), within the given time; else people are called.
    approval: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStep(StepBase):
    """POST to a hook that the application offers. Workloads without that hook skip the step."""

    action: Literal["hook"]
    hook: str
    # Short: an application that cannot answer its hook within two seconds needs the next rung.
    timeout: Period = 2.0
    verify: Verification = Verification(within=6.0)
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceStep(StepBase):
    """POST to a hook by which the application tells of itself, and keep its answer in the ledger, without secrets and
    cut to size. It mends nothing, so nothing is verified: the next step follows. Workloads without that hook skip it.
    """

    action: Literal["evidence"]
    hook: str
    # Looking through all its objects takes an application a while.
    timeout: Period = 10.0
    #: Every step has one; of this nothing is judged.
    verify: ClassVar[Verification] = Verification()
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpauseStep(StepBase):
    """Let a paused container run on. Skipped when it is not paused."""

    action: Literal["unpause"]
    timeout: Period = 5.0
    verify: Verification = Verification()
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalStep(StepBase):
    """Send a signal that asks the application to help itself, to the main process of the container or to the supervised
    process. Skipped when that does not listen to it, or is stopped by it: the signal would end it, or do nothing.
    """

    action: Literal["signal"]
    # Those that end or stop a process are not here: that is what restart is for. Nor is WINCH, to which web servers
    # (nginx, httpd) stop serving.
    signal: Literal["HUP", "USR1", "USR2", "CONT"]
    timeout: Period = 5.0
    verify: Verification = Verification()
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecStep(StepBase):
    """Run one of ``responder.commands``, by its name. No shell, and nothing of an alert in its arguments; exit code 0
    is success. It finds the workload in HOMEOSTAT_WORKLOAD and HOMEOSTAT_CONTAINER: on the host it runs once, with the
    names of all containers, separated by spaces; in containers once in each.
    """

    action: Literal["exec"]
    command: Name
    timeout: Period = 30.0
    verify: Verification = Verification()
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisTrimStep(StepBase):
    """Give memory of a Redis back: keys of its database 0 that match ``pattern``, within the budget, then MEMORY PURGE.
    Where there are more of them than that, those that were not used for the longest time, as far as Redis tells.
    """

    action: Literal["redis_trim"]
    #: HOST:PORT, or :PORT of the workload's own container.
    target: Annotated[Line, Checked(is_redis_address)]
    user: str = ""
    password_file: Path | None = None
    purge: bool = True
    #: A glob of keys that may be evicted; without one no key is touched.
    pattern: Line | None = None
    #: Only keys that nobody has used for this long. Redis does not know it under an LFU policy.
    idle: Duration = 0.0
    # Their names are held in memory while the longest unused are looked for.
    max_keys: Annotated[int, at_least(1), at_most(100_000)] = 10_000
    timeout: Period = 10.0
    verify: Verification = Verification()
    tier: Tier = Tier.SOFT

    def __post_init__(self) -> None:
        if not self.purge and self.pattern is None:
            raise ValueError("allowed: at least one of purge and pattern")
        if self.idle and self.pattern is None:
            raise At(("idle",), "belongs to keys; allowed: with pattern")


@dataclass(frozen=True, slots=True, kw_only=True)
class PgReleaseStep(StepBase):
    """End sessions of one PostgreSQL user in one database, the oldest first: those that are idle in a transaction, or
    have run one statement, for too long.
    """

    action: Literal["pg_release"]
    #: HOST:PORT/DATABASE, or :PORT/DATABASE of the workload's own container.
    target: Annotated[Line, Checked(is_postgres_address)]
    #: Who connects. When the application has taken all connections, only who may use reserved ones can: a superuser,
    #: or, since PostgreSQL 16, a user with pg_use_reserved_connections.
    user: Line
    password_file: Path | None = None
    #: Whose sessions are ended; the connecting user's own when left out. Never anybody else's.
    sessions_of: Line | None = None
    idle_in_transaction: Period = 300.0
    #: Also sessions whose one statement runs for longer than this.
    statement_age: Period | None = None
    max_sessions: Annotated[int, at_least(1), at_most(1000)] = 50
    timeout: Period = 10.0
    verify: Verification = Verification()
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneStep(StepBase):
    """Free disk space: old files by pattern, dangling images. What it deletes is gone."""

    action: Literal["prune"]
    #: Absolute globs, for example /var/log/shop/*.log.*, at least two folders down; ``**`` stands for any folders.
    #: Plain files only, and none that a process holds open. Links are not followed, not even in the folder.
    files: tuple[Annotated[Line, Checked(is_file_glob)], ...] = ()
    #: Since files were last written, and since images were made.
    older_than: Period = 86400.0
    #: Images that have neither a name nor a container, of the whole engine.
    dangling_images: bool = False
    timeout: Period = 60.0
    verify: Verification = Verification(within=30.0)
    tier: Tier = Tier.SOFT

    def __post_init__(self) -> None:
        if not self.files and not self.dangling_images:
            raise ValueError("allowed: at least one of files and dangling_images")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDiffStep(StepBase):
    """Keep in the ledger what somebody else has made of a managed configuration file, without secrets and cut to size.
    It mends nothing, so nothing is verified. Skipped when the file is its last good version.
    """

    action: Literal["config_diff"]
    timeout: Period = 10.0
    #: Every step has one; of this nothing is judged.
    verify: ClassVar[Verification] = Verification()
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRestoreStep(StepBase):
    """Put the last good version of a managed configuration file back; what is there now is kept in its history. Skipped
    when it is good again. A file that is being changed is waited for, within the timeout.
    """

    action: Literal["config_restore"]
    timeout: Period = 20.0
    # The exporter looks again within 5 s, Prometheus within 2 s.
    verify: Verification = Verification(within=10.0)
    tier: Tier = Tier.SOFT


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradeStep(StepBase):
    """Ask the application to do less for a while, by a hook. The hook gets ``{"lease_seconds": N}`` and is asked again
    before that time is over; an application that hears nothing goes back by itself. DELETE ends it.
    """

    action: Literal["degrade"]
    hook: str
    #: How long the application believes one request.
    lease: Period = 60.0
    #: How long it is asked for, once it has helped.
    lasts: Period = 900.0
    timeout: Period = 2.0
    verify: Verification = Verification(within=15.0)
    tier: Tier = Tier.MEDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsStep(StepBase):
    """Raise the memory or CPU limit of the containers for a time, then put it back, as soon as what they use by then
    leaves room below the old one.
    """

    action: Literal["limits"]
    #: Times what it has now; containers without a limit are skipped.
    memory: Annotated[float, above(1)] | None = None
    #: Never above this, nor above 80 % of the machine's memory.
    memory_max: Size | None = None
    cpu: Annotated[float, above(1)] | None = None
    #: Cores.
    cpu_max: Annotated[float, above(0)] | None = None
    lasts: Period = 3600.0
    timeout: Period = 10.0
    verify: Verification = Verification()
    tier: Tier = Tier.MEDIUM

    def __post_init__(self) -> None:
        if self.memory is None and self.cpu is None:
            raise ValueError("allowed: at least one of memory and cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleStep(StepBase):
    """More replicas of a compose service for a time, then as many as before. Not of one that has a container name or a
    port of the host to itself, nor of one whose compose files say something else by now than what runs.
    """

    action: Literal["scale"]
    by: Annotated[int, at_least(1)] = 1
    #: Never more than this.
    most: Annotated[int, at_least(2)] = 3
    lasts: Period = 3600.0
    timeout: Period = 60.0
    verify: Verification = Verification(within=30.0)
    tier: Tier = Tier.MEDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartStep(StepBase):
    """Restart the container or supervised process.

    ``grace``: how long it may take to stop before it is killed; None keeps the container's own.
    """

    action: Literal["restart"]
    grace: Duration | None = None
    timeout: Period = 40.0
    verify: Verification = Verification(within=15.0)
    tier: Tier = Tier.HARD


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateStep(StepBase):
    """Make the containers of a compose service anew, and then those that share its network namespace. From the same
    image and configuration only: when the compose files say something else by now, it is for people.
    """

    action: Literal["recreate"]
    timeout: Period = 120.0
    verify: Verification = Verification(within=30.0)
    tier: Tier = Tier.HARD


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartStackStep(StepBase):
    """Restart the workload, then those that depend on it, nearest first. Those that are not enabled, on hold or were
    stopped by somebody are left out; skipped when there is nobody else to restart.
    """

    action: Literal["restart_stack"]
    #: How far from the workload; a ladder that has this step twice, first with 1, tries the smallest set first.
    depth: Annotated[int, at_least(1)] = 1
    grace: Duration | None = None
    timeout: Period = 180.0
    verify: Verification = Verification(within=60.0)
    tier: Tier = Tier.HARD


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartUnitStep(StepBase):
    """``systemctl restart`` of a unit of this host that is named here. Skipped when somebody has stopped it."""

    action: Literal["restart_unit"]
    unit: Annotated[
        str,
        matching(
            r"[A-Za-z0-9][A-Za-z0-9:_.@-]{0,120}\.(service|socket|timer)", "must be a unit, for example nginx.service"
        ),
    ]
    timeout: Period = 60.0
    verify: Verification = Verification(within=30.0)
    tier: Tier = Tier.HARD


Step = Annotated[
    HookStep
    | EvidenceStep
    | UnpauseStep
    | SignalStep
    | ExecStep
    | RedisTrimStep
    | PgReleaseStep
    | PruneStep
    | ConfigDiffStep
    | ConfigRestoreStep
    | DegradeStep
    | LimitsStep
    | ScaleStep
    | RestartStep
    | RecreateStep
    | RestartStackStep
    | RestartUnitStep,
    Tagged("action"),
]


def as_data(step: Step) -> dict[str, object]:
    """The step as the ledger keeps it; ``stored(Step, ...)`` reads it again."""
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(step).items()}


def by_action() -> dict[str, type]:
    """Every model by its action's name."""
    return {get_args(get_type_hints(model)["action"])[0]: model for model in get_args(get_args(Step)[0])}
