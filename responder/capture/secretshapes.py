"""The shapes that secrets have in logs, one table. Pure.

Every pattern runs in time linear in the line, whoever wrote it: what repeats without a bound is followed by nothing
that could fail, or begins where only few matches can begin; everything else is bounded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

Match = re.Match[str]

_SPACE = r"[ \t]{0,8}"
#: ``key: ``, ``key=``, ``"key": ``, ``\"key\":``, ``'key' => ``, ``[key] = ``, ``key%3D``; not C++'s ``key::``.
_IS = rf"\\{{0,8}}[\"'`]?\]?{_SPACE}(?:=>|:=|={{1,3}}|:(?!:)|%3d){_SPACE}"
#: ``SecretStr('``, ``Some(Secret("``, ``b'``: what may stand before a quoted value.
_WRAPPED = r"(?:[a-z]\w{0,30}[(\[{]){0,3}(?:b|r|u)?"
#: Up to a space. A quote ends it only where the text around the pair may be quoted, and so does the next pair's.
_WORD = r"""(?:(?!,["'`])[^\s"'`]|["'`](?![\s,;:}\])]|$))+"""
_STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_QUOTED = rf"""
    (?P<mark>\\{{1,8}}["'])(?:(?!(?<!\\)(?P=mark)).)*(?:(?P=mark))?   # in JSON that is in a string of JSON
  | {_WRAPPED}(?:"(?:[^"\\]|\\.)*"? | '(?:[^'\\]|\\.)*'? | `[^`]*`?)(?:(?=\w){_WORD})?
  | [\[{{](?:{_STRING}|[^\[\]{{}}"'])*[\]}}](?=[\s,;:)\]}}"'`]|$) | [\[{{](?=[\s"'\\\[{{]).*
"""

_KEYS = r"""
    pass(?:word|wd|phrase|code|key)s? | pwd | secrets? | tokens? | credentials? | requirepass | masterauth | jwt
  | (?:api|access|secret|private|encryption|signing|account|master|license)[ _.-]?keys?
  | (?:php|j|asp)?sess(?:ion)?[_-]?(?:id|key) | connect\.sid
  | (?<=[_-])(?:pass|auth|pw) | (?<=["'])(?:pass|auth|pw)(?=["']) | \bpass(?=:[ ]?["'])
  | (?<=[?&])(?:x-amz-)?(?:signature|sig|code)
"""
#: ``SECRET_KEY_BASE`` is a secret, ``token_type`` is not.
_TELLING = (
    r"types?|counts?|urls?|uris?|endpoints?|names?|len|length|size|domain|path|files?|dir|expir\w*|ttl|age|limits?|"
    r"policy|id|ids|used|usage|per|changed|reset|encryption|version|secure|samesite|provider|store|manager|service|status|"
    r"valid\w*|rotat\w*|created|updated|at|in|for|from|bucket|budget|issuer|audience|scopes?|required|enabled|min|max|"
    r"mode|format|attempts|errors?|failures|hits|misses"
)
_SUFFIX = rf"(?:[_-]?(?:hash|value|base64|b64|key|salt)|[_-]?\d{{1,4}}|_(?!(?:{_TELLING})(?![a-z]))\w{{1,40}})?"

#: In the place of a value where there is none: what programs say of a secret without telling it.
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        access as authentication authorization cannot denied does empty error expired fail failed false for found has
        have header in incorrect invalid is malformed mismatch missing must nil no none not null ok or provided redacted
        refused rejected required revoked set should the too true unauthorized undefined unset used validation was
        with wrong
        """,
    )
)
_PROSE = re.compile(r"[A-Za-z][A-Za-z ,;:.'-]*")
_BEFORE = 12
#: Of a statement or template: ``$1``, ``?``, ``%s``, ``:name``, ``${NAME}``, ``<password>``, ``****``.
_PLACEHOLDER = re.compile(r"\$\d{1,3}|\?|%s|%\(\w+\)s|:[a-z_]\w*|\$\{?[A-Z_]\w*\}?|<\w+>|\*+")
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
#: ``InvalidToken: ...`` is an error's name.
_AT_FAULT = re.compile(r"(?i)(?:invalid|expired|missing|bad|wrong|incorrect|revoked|unexpected[ ]?)$")


@dataclass(frozen=True, slots=True)
class Shape:
    """``hints``: a line with none of them, in lower case, is not looked at.

    The group ``secret`` is what has to go, unless ``spares`` says that it is none.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    spares: Callable[[Match], bool] = lambda _match: False


def _compiled(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE | flags)


def _is_harmless(match: Match) -> bool:
    """Whether what looks like a secret's value says only something about it."""
    key, value = match["key"].lower(), match["secret"].rstrip(",;.)}]")
    if value in ("", "<", "''", '""') or _PLACEHOLDER.fullmatch(value):
        return True
    if _PROSE.fullmatch(value) and value.partition(" ")[0].rstrip(",;:.").lower() in _WORDS:
        return True
    before = match.string[max(match.start("key") - _BEFORE, 0) : match.start("key")]
    if key == "pwd" and before[-1:] not in ("_", "-"):
        return value.startswith("/")  # the shell's working folder
    if _AT_FAULT.search(before):
        return value.isalpha()
    return key.endswith("s") and _FIGURE.fullmatch(value) is not None


def _is_about(match: Match) -> bool:
    """``Bearer authentication``, ``Bearer realm="x"``."""
    word = match["secret"].lower()
    return word in _WORDS or word.startswith(("token", "realm", "scheme", "error", "challenge"))


SHAPES = (
    Shape("jwt", ("eyj",), _compiled(r"(?:(?<![\w-])|(?<=%20)|(?<=%3D))(?P<secret>eyJ[\w-]{5,}\.[\w.-]+)")),
    Shape(
        "bearer",
        ("bearer",),
        _compiled(r"\bbearer(?:[ \t]{1,8}|%20|\+)(?P<secret>[\w.~+/=-]{6,})"),
        _is_about,
    ),
    Shape(
        "aws_key_id",
        ("akia", "asia", "aroa", "aida", "abia", "acca"),
        _compiled(r"(?<![A-Z0-9])(?P<secret>A(?:KIA|SIA|ROA|IDA|BIA|CCA)[A-Z0-9]{16})(?![A-Z0-9])", re.NOFLAG),
    ),
    Shape(
        "vendor_token",
        (
            "gh",
            "github_pat_",
            "glpat-",
            "xox",
            "sk_",
            "sk-",
            "aiza",
            "npm_",
            "sg.",
            "hvs.",
            "dop_v1_",
            "pypi-",
            "services/",
            "bot",
        ),
        _compiled(
            r"""
            (?<![A-Za-z0-9_-])(?P<secret>
                gh[pousr]_[A-Za-z0-9]{20,255} | github_pat_\w{20,255} | glpat-[\w-]{20,255} | xox[abeoprs]-[\w-]{10,255}
              | sk_(?:live|test)_\w{10,255} | sk-[\w-]{20,255} | AIza[\w-]{35} | npm_\w{36} | dop_v1_\w{64}
              | SG\.[\w-]{16,64}\.[\w-]{16,64} | hvs\.[\w-]{24,255} | pypi-[\w-]{50,255}
              | (?<=hooks\.slack\.com/services/)\w{5,20}/\w{5,20}/\w{10,40}
              | (?<=api\.telegram\.org/)bot\d{6,12}:[\w-]{30,40}
            )
            """,
            re.NOFLAG,
        ),
    ),
    Shape(
        "url_password",  # not a port; up to the last @, for not everybody escapes it
        ("://",),
        _compiled(r"""://(?!\[)[^\s/"'<>@:]{0,64}:(?!\d{1,5}(?:[/?\#]|$))(?P<secret>(?:(?!://)[^\s"'<>])+)@"""),
    ),
    Shape("url_user", ("://",), _compiled(r"""://(?P<secret>[^\s/"'<>@:]{16,255})@""")),
    Shape(
        "dsn_password",
        ("@tcp(", "@unix(", "@udp("),
        _compiled(r"""(?:^|(?<=[\s"'<>]))[^\s"'<>:]{0,64}:(?P<secret>[^\s"'<>]+)@(?:tcp|unix|udp)\("""),
    ),
    Shape(
        "option",  # --password SECRET, "--password", "SECRET"
        ("--", "-pass", "-token", "-secret"),
        _compiled(
            rf"""(?<![\w-])--?(?:[a-z0-9]{{1,20}}-){{0,4}}(?P<key>{_KEYS})
                 (?:["']?,?[ \t]{{1,8}}|["'],(?=["']))(?P<secret>(?!-)(?:{_QUOTED}|{_WORD}))"""
        ),
        _is_harmless,
    ),
    Shape(
        "user_option",
        ("-u", "-user"),
        _compiled(r"""(?<![\w-])(?:-u|--(?:proxy-)?user)["']?[ =,]{1,4}["']?[^\s:"']{1,64}:(?P<secret>[^\s"']+)"""),
    ),
    Shape(
        "sql",
        ("password", "identified"),
        _compiled(
            r"""\b(?:password|identified[ ]{1,4}(?:by(?:[ ]password)?|with[ ]\S{1,64}[ ](?:by|as)))[ ]{1,4}
                (?P<secret>'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.)*"?)"""
        ),
    ),
    Shape(
        "redis",
        ("requirepass", "masterauth", '"auth"', "'auth'"),
        _compiled(r"""(?:\b(?:requirepass|masterauth)["']?|["']auth["'])[ ]{1,8}(?P<secret>\S.*)"""),
    ),
    Shape(
        "told",  # MySQL's first start; ``the password is: SECRET``
        ("password",),
        _compiled(r"password[ ](?:(?:is|was)[ ]generated[ ]for[ ][^\s:]{1,80}|is)[ ]?:[ ]{1,4}(?P<secret>\S+)"),
    ),
    Shape(
        "xml",
        ("</",),
        _compiled(rf"(?P<key>{_KEYS}){_SUFFIX}(?:[ ][^<>]{{0,200}})?>(?P<secret>[^<>]{{1,4096}})(?=</)"),
        _is_harmless,
    ),
    Shape(
        "connection_string",  # ...;Password=with spaces;...
        (";",),
        _compiled(rf"""(?<=;)[ ]?(?P<key>{_KEYS})[ ]?=[ ]?(?P<secret>[^;"'\s][^;"']*)"""),
        _is_harmless,
    ),
    Shape(
        "header",  # its value is the rest of the line
        ("authorization", "cookie"),
        _compiled(rf"""(?P<key>authorization|cookies?){_IS}(?P<secret>{_QUOTED}|\S.*)"""),
        _is_harmless,
    ),
    Shape(
        "pair",
        (
            "pass",
            "pwd",
            "secret",
            "token",
            "key",
            "credential",
            "auth",
            "jwt",
            "sess",
            "connect.sid",
            "sig",
            "code=",
            "pw",
        ),
        _compiled(rf"(?P<key>{_KEYS}){_SUFFIX}{_IS}(?P<secret>{_QUOTED}|{_WORD})"),
        _is_harmless,
    ),
)
