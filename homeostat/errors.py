"""The exception tree.

HomeostatError
├── SettingsError            bad configuration: what, where, what is allowed
├── Temporary(delay_s)       the same call may work later; only the engine waits
│   └── Unreachable          a server did not answer
└── Permanent                the same call will fail again
    ├── NotFound             the thing named does not exist
    └── NotSupported         this platform or target cannot do it

A failed *check* is a result (ProbeResult), never an exception.
"""


class HomeostatError(Exception):
    """Root of everything homeostat raises on purpose. ``str()`` is meant for people."""


class SettingsError(HomeostatError):
    """A settings file, label or rule file is wrong. One line per problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Temporary(HomeostatError):
    """The same call may succeed after ``delay_s`` seconds."""

    def __init__(self, message: str, delay_s: float = 1.0) -> None:
        self.delay_s = delay_s
        super().__init__(message)


class Unreachable(Temporary):
    """A server did not answer, or answered that it cannot work now."""


class Permanent(HomeostatError):
    """The same call will fail again."""


class NotFound(Permanent):
    """The thing named does not exist."""


class NotSupported(Permanent):
    """This platform, engine or target cannot do it."""
