"""A file's lines as they may be shown: secrets as ``***``, everything else as it is; no line more, none less.

It errs on the side of masking. What is parsed is masked where its values stand; what is not, by the look of its lines.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from homeostat.configfiles.errors import NotParsed
from homeostat.configfiles.formats import envscan
from homeostat.configfiles.secrets import MASK, mask_userinfo
from homeostat.configfiles.showing.values import VALUES

IsSecret = Callable[[str], bool]
#: ``text[start:end]`` is shown as these words.
_Hidden = tuple[int, int, str]

#: Shorter ones are words that stand anywhere: true, local.
_SHORTEST_KNOWN = 6
_NOTHING = frozenset({"", '""', "''", "null", "~"})
#: With blanks, and a line end of Windows.
_LONGEST_NOTHING = 10
#: A name and what comes behind it, also within a comment or a list's item: `- DB_PASSWORD=x`, `# token: x`.
_ASSIGNED = re.compile(r"""(?<![\w.-])-*+([A-Za-z_][\w.-]*+)["']?[ \t]*+([=:])[ \t]*+(?=\S)""")
_COMMENT = re.compile(r"(?:^|\s)[#;]")
#: `tokens:`, `- tokens: [`: what it holds comes on the next lines.
_ALONE = re.compile(r"""\s*+(?:-\s++)*+["']?([\w.-]++)["']?\s*+[:=][\s\[{|>+-]*+""")
#: As redis.conf has it: `requirepass x`.
_SPACED = re.compile(r"\s*+([A-Za-z_][\w.-]*+)[ \t]++(?=\S)")


def masked_lines(format_name: str, text: str, is_secret: IsSecret, known: Collection[str] = ()) -> list[str]:
    """``text.split("\\n")`` as it may be shown. ``known``: secret values, to be masked wherever they stand."""
    try:
        hidden = list(_hidden(format_name, text, is_secret))
    except NotParsed:
        lines = list(_cautious(text.split("\n"), is_secret))
    else:
        lines = [_line(line, is_secret) for line in _without(text, hidden).split("\n")]
    return _without_known("\n".join(lines), known).split("\n")


def secret_values(data: object, is_secret: IsSecret, *, is_hidden: bool = False) -> Iterator[str]:
    """Each line of the texts below secret keys, as far as it is long enough to be told from others."""
    match data:
        case Mapping():
            for key, value in data.items():
                yield from secret_values(value, is_secret, is_hidden=is_hidden or is_secret(str(key)))
        case list():
            for value in data:
                yield from secret_values(value, is_secret, is_hidden=is_hidden)
        case str() if is_hidden:
            yield from (line for line in data.splitlines() if len(line) >= _SHORTEST_KNOWN)


def _hidden(format_name: str, text: str, is_secret: IsSecret) -> Iterator[_Hidden]:
    values = VALUES.get(format_name)
    if values is None:
        raise NotParsed("has no keys")
    for value in values(text):
        names = (part for part in value.path if isinstance(part, str))
        written = text[value.start : value.end]
        if written not in _NOTHING and any(map(is_secret, names)):
            yield value.start, value.end, "\n".join(MASK if line else "" for line in written.split("\n"))
    if format_name == "env":
        yield from _malformed(text, is_secret)


def _malformed(text: str, is_secret: IsSecret) -> Iterator[_Hidden]:
    """What is no line of `.env` is shown only behind a name that says that it is no secret."""
    for line in envscan.scan(text):
        if line.kind is envscan.Kind.MALFORMED:
            written = text[line.start : line.end].removesuffix("\n")
            shown = _without_assigned(written, is_secret) if _ASSIGNED.search(written) else MASK
            yield line.start, line.start + len(written), shown


def _without(text: str, hidden: list[_Hidden]) -> str:
    parts, at = [], 0
    for start, end, shown in sorted(hidden):
        parts += [text[at:start], shown]
        at = end
    return "".join([*parts, text[at:]])


def _line(line: str, is_secret: IsSecret) -> str:
    """What values and comments themselves hold: a variable's assignment, a URL with a password."""
    masked = mask_userinfo(line)
    comment = _COMMENT.search(masked)
    return _without_assigned(masked, is_secret, comment.start() if comment else len(masked))


def _without_assigned(line: str, is_secret: IsSecret, colons_from: int = 0) -> str:
    """``colons_from``: before it, only = assigns."""
    for found in _ASSIGNED.finditer(line):
        is_sign = found[2] == "=" or found.start() >= colons_from
        if is_sign and is_secret(found[1]) and _is_shown(line, found.end()):
            return line[: found.end()] + MASK
    return line


def _is_shown(line: str, at: int) -> bool:
    """Whether something is there that is not masked yet."""
    is_nothing = len(line) - at <= _LONGEST_NOTHING and line[at:].strip() in _NOTHING
    return not is_nothing and not line.startswith(MASK, at)


def _cautious(lines: list[str], is_secret: IsSecret) -> Iterator[str]:
    """Of what is not parsed: behind a secret key all is masked until a key that is not below it."""
    below: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        is_key = _ASSIGNED.search(line) or _ALONE.fullmatch(line)
        # The end of a certificate has a = behind it.
        if below is not None and not (is_key and indent <= below and not line.rstrip().endswith("=")):
            yield line[:indent] + (MASK if line.strip() else "")
            continue
        shown = _by_its_look(line, is_secret)
        alone = _ALONE.fullmatch(line)
        below = indent if shown.endswith(MASK) or (alone and is_secret(alone[1])) else None
        yield shown


def _by_its_look(line: str, is_secret: IsSecret) -> str:
    shown = _without_assigned(mask_userinfo(line), is_secret)
    spaced = _SPACED.match(shown)
    if spaced and is_secret(spaced[1]) and not shown.endswith(MASK):
        return shown[: spaced.end()] + MASK
    return shown


def _without_known(text: str, known: Collection[str]) -> str:
    """The longest first: one may be a part of another."""
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text
