"""The rules for `.env` files, in one table.

The first 13 and a schema's are dotenv-linter's (4.0), on lines and values as compose reads them.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from homeostat.configfiles.errors import Place
from homeostat.configfiles.formats.env import names
from homeostat.configfiles.lint import envkeys, envlayout, envsecrets, envvaluerules
from homeostat.configfiles.lint.base import Finding, Severity, Spot
from homeostat.configfiles.lint.envtext import EnvText


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    severity: Severity
    find: Callable[[EnvText], Iterable[Spot]]


#: From a text to what a schema says of it, as ``schema-violation``: its words and severities are the schema's.
Schema = Callable[[str], Iterable[Finding]]


RULES = (
    Rule("duplicated-key", Severity.ERROR, envkeys.duplicated_keys),
    Rule("ending-blank-line", Severity.STYLE, envlayout.no_line_end),
    Rule("extra-blank-line", Severity.STYLE, envlayout.extra_blank_lines),
    Rule("incorrect-delimiter", Severity.WARNING, envkeys.incorrect_delimiters),
    Rule("key-without-value", Severity.WARNING, envkeys.keys_without_value),
    Rule("leading-character", Severity.WARNING, envkeys.leading_characters),
    Rule("lowercase-key", Severity.STYLE, envkeys.lowercase_keys),
    Rule("quote-character", Severity.STYLE, envvaluerules.needless_quotes),
    Rule("space-character", Severity.WARNING, envlayout.spaces_around),
    Rule("substitution-key", Severity.WARNING, envvaluerules.half_references),
    Rule("trailing-whitespace", Severity.STYLE, envlayout.trailing_spaces),
    Rule("unordered-key", Severity.STYLE, envkeys.unordered_keys),
    Rule("value-without-quotes", Severity.WARNING, envvaluerules.missing_quotes),
    Rule("malformed-line", Severity.ERROR, envkeys.malformed_lines),
    Rule("comment-as-value", Severity.WARNING, envvaluerules.comments_as_values),
    Rule("placeholder-secret", Severity.WARNING, envsecrets.placeholder_secrets),
    Rule("tab-character", Severity.WARNING, envlayout.tabs),
    Rule("mixed-line-ends", Severity.WARNING, envlayout.mixed_line_ends),
    Rule("crlf", Severity.STYLE, envlayout.crlf),
    Rule("bom", Severity.WARNING, envlayout.bom),
    Rule("nul", Severity.ERROR, envlayout.nul),
)


def lint_env(text: str, *, has_bom: bool = False, schema: Schema | None = None) -> list[Finding]:
    """By place. Of any text: what is wrong in one line hides no other."""
    env = EnvText.of(text, has_bom=has_bom)
    found = [
        Finding(rule.name, spot.place, spot.words, spot.fixable, rule.severity)
        for rule in RULES
        for spot in rule.find(env)
    ]
    found += schema(text) if schema else ()
    return sorted(found, key=lambda finding: finding.place)


def missing_keys(text: str, example: str) -> list[Finding]:
    """Of what ``.env.example`` has."""
    present = frozenset(names(text))
    lacking = [name for name in names(example) if name not in present]
    words = "{} is in the example, and not in this file; add it"
    return [Finding("missing-key", Place(1), words.format(envkeys.shown(name))) for name in lacking]


def unused_keys(text: str, used: Collection[str]) -> list[Finding]:
    """``used``: the names that anything refers to, the file's own references among them."""
    words = "{} is used nowhere; take it away, or see whether a name is misspelt"
    return [
        Finding("unused-key", line.place, words.format(envkeys.shown(line.name)))
        for line in EnvText.of(text).keys
        if line.name not in used
    ]
