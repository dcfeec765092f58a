"""Every fault, by name. Adding one: a file here and a line below."""

from chaos.faults.base import Fault
from chaos.faults.crash import Crash
from chaos.faults.hang import Hang
from chaos.faults.pause import Pause

FAULTS: dict[str, Fault] = {"crash": Crash(), "hang": Hang(), "pause": Pause()}
