"""Every action, by the name that ladders use. Adding one: a file here, a line below, a model in homeostat.ladders."""

from responder.actions.base import Action
from responder.actions.config_diff import ConfigDiff
from responder.actions.config_restore import ConfigRestore
from responder.actions.degrade import Degrade
from responder.actions.evidence import Evidence
from responder.actions.exec import Exec
from responder.actions.hook import Hook
from responder.actions.limits import RaiseLimits
from responder.actions.pg_release import PgRelease
from responder.actions.prune import Prune
from responder.actions.recreate import Recreate
from responder.actions.redis_trim import RedisTrim
from responder.actions.restart import Restart
from responder.actions.restart_stack import RestartStack
from responder.actions.restart_unit import RestartUnit
from responder.actions.scale import Scale
from responder.actions.signal import Signal
from responder.actions.unpause import Unpause

ACTIONS: dict[str, Action] = {
    "hook": Hook(),
    "evidence": Evidence(),
    "unpause": Unpause(),
    "signal": Signal(),
    "exec": Exec(),
    "redis_trim": RedisTrim(),
    "pg_release": PgRelease(),
    "prune": Prune(),
    "config_diff": ConfigDiff(),
    "config_restore": ConfigRestore(),
    "degrade": Degrade(),
    "limits": RaiseLimits(),
    "scale": Scale(),
    "restart": Restart(),
    "recreate": Recreate(),
    "restart_stack": RestartStack(),
    "restart_unit": RestartUnit(),
}
