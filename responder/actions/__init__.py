"""Every action, by the name that ladders use. Adding one: a file here, a line below, a model in homeostat.ladders."""

from responder.actions.base import Action
from responder.actions.hook import Hook
from responder.actions.restart import Restart
from responder.actions.unpause import Unpause

ACTIONS: dict[str, Action] = {"hook": Hook(), "unpause": Unpause(), "restart": Restart()}
