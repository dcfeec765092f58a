"""Which keys hold secrets, and their values masked: what is shown of a file never tells one.

It errs on the side of masking: a value that was no secret and is hidden costs a look into the file, the other mistake a
password.
"""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

MASK = "***"
#: In whatever words they stand: DBPASSWORD, authToken.
_PARTS = re.compile(r"passw(?:or)?d|passphrase|secret|token|credential|private|(?:api|ssh|rsa)[-_]?key", re.IGNORECASE)
#: Only as words of their own: neither KEYBOARD nor BYPASS.
_WORDS = frozenset({"key", "keys", "pass", "pwd", "dsn", "salt", "pepper"})
#: Says where a secret is, not what it is, as in POSTGRES_PASSWORD_FILE; or what anybody may know.
_HARMLESS_ENDS = frozenset({"file", "path", "dir"})
_HARMLESS_WORDS = frozenset({"public"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
#: Greedy, as a password may hold an @ that nobody encoded.
_USERINFO = re.compile(r"://[^\s/?#]*@")
_PLACEHOLDER = re.compile(
    r"<[^<>]*>|\$\{[^{}]*\}|\{\{[^{}]*\}\}|x{3,}|\*{3,}|\.{3,}|change[-_ ]?(?:me|this|it)\b.*|change|"
    r"(?:replace|fill)[-_ ]?(?:me|this|in|with)\b.*|to[-_ ]?do|fix[-_ ]?me|tbd|placeholder|example|dummy|"
    r"none|null|undefined|"
    r"your[-_ ].*|(?:insert|enter|put)[-_ ](?:your|here).*|(?:my|some)[-_ ]?(?:secret|password|token|key)|"
    r"(?:password|passwd|secret|token|key|api[-_]?key|admin|test)[0-9!]{0,3}",
    re.IGNORECASE,
)
#: A placeholder is short; so is the time to look for one.
_LONGEST_PLACEHOLDER = 200


class TellsSecrets(Protocol):
    """A schema that may know."""

    def is_secret(self, name: str) -> bool | None:
        """None: it does not say."""
        ...


def is_secret_name(name: str) -> bool:
    """Whether a key of this name holds a secret, as far as a name can tell."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _HARMLESS_ENDS or not _HARMLESS_WORDS.isdisjoint(words):
        return False
    # REDIS_AUTH is one, AUTH_ENABLED is not.
    return _PARTS.search(name) is not None or not _WORDS.isdisjoint(words) or words[-1] == "auth"


def has_userinfo(value: object) -> bool:
    """Whether a value is, or has in it, a URL with a user or password."""
    return isinstance(value, str) and _USERINFO.search(value) is not None


def is_placeholder(value: str) -> bool:
    """Whether a value only stands where a secret has to be put: changeme, <token>, your-key-here."""
    return len(value) <= _LONGEST_PLACEHOLDER and _PLACEHOLDER.fullmatch(value.strip()) is not None


def secret_names(schema: TellsSecrets | None, data: Mapping[str, object]) -> frozenset[str]:
    """Of the keys of ``data`` those that hold secrets: the schema says so; or, where it does not say, name or value."""
    return frozenset(name for name, value in data.items() if _is_secret(schema, name, value))


def _is_secret(schema: TellsSecrets | None, name: str, value: object) -> bool:
    told = schema.is_secret(name) if schema is not None else None
    return told if told is not None else is_secret_name(name) or has_userinfo(value)


def mask(data: Mapping[str, object], is_secret: Callable[[str], bool] = is_secret_name) -> dict[str, object]:
    """The same data with all values below secret keys, and users and passwords in URLs, as :data:`MASK`.

    Empty text and null stay: that nothing is there is no secret. Two masked values look alike: compare before.
    """
    return {key: _hidden(value) if is_secret(key) else _shown(value, is_secret) for key, value in data.items()}


def mask_userinfo(text: str) -> str:
    """``postgres://app:pw@db/shop`` -> ``postgres://***@db/shop``."""
    return _USERINFO.sub(f"://{MASK}@", text)


def _shown(value: object, is_secret: Callable[[str], bool]) -> object:
    match value:
        case Mapping():
            return mask(value, is_secret)
        case list() | tuple():
            return [_shown(item, is_secret) for item in value]
        case str():
            return mask_userinfo(value)
        case _:
            return value


def _hidden(value: object) -> object:
    match value:
        case None | "":
            return value
        case Mapping():
            return {key: _hidden(item) for key, item in value.items()}
        case list() | tuple():
            return [_hidden(item) for item in value]
        case _:
            return MASK
