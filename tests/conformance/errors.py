"""Why the kit itself could not do its work; never the receiver's fault."""


class KitError(Exception):
    """The message says what, and what to do."""


class MissingProgram(KitError):
    """A program that the kit needs is not on this machine."""


class Unreachable(KitError):
    """An Alertmanager of the kit does not answer."""


class WrongArgument(KitError):
    """What was asked for cannot be done."""
