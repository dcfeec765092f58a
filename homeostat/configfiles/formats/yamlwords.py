"""PyYAML's errors in words for people, without what the file holds: a word after * or ! may be a password."""

import re

import yaml

#: Its problem, or its context, begins so -> what is wrong, and what to do.
_WORDS = (
    ("found character '\\t'", "a tab; indent with spaces"),
    ("found a tab", "a tab; indent with spaces"),
    ("found undefined alias", "an alias (*) to an anchor that is not there; quote the value if it is text"),
    ("could not determine a constructor", "a tag (!!) that is not known; quote the value if it is text"),
    ("failed to convert base64", "no base64 behind !!binary; quote the value if it is text"),
    ("failed to decode base64", "no base64 behind !!binary; quote the value if it is text"),
    ("found character", "a text that begins with a mark of YAML (@, `, % and others); quote it"),
    ("sequence entries are not", "an item of a list (-) where none can stand; begin a new line, or quote the value"),
    ("but found another document", "more than one document (---); keep one in each file"),
    (
        "mapping values are not allowed",
        "a colon where no key can stand; quote the value, or indent the key as those beside it",
    ),
    ("could not find expected ':'", "a line that is no key with a value; write key: value"),
    ("expected <block end>", "indented as nothing around it; indent the key as those beside it"),
    ("found unexpected end of stream", "the end within a quoted text; close the quote"),
    ("found duplicate anchor", "an anchor (&) of a name that there is already; name it otherwise"),
    ("while scanning a quoted scalar", "a quoted text that does not end well; close the quote"),
    ("while scanning a double-quoted", "a \\ that begins no escape; write \\\\, or use single quotes"),
    ("while scanning a block scalar", "no block text; after | or > comes nothing but the line's end"),
    ("while parsing a flow", "brackets that are not closed, or a comma that is missing"),
    ("while parsing a block", "indented as nothing around it; indent the key as those beside it"),
    ("while constructing a mapping", "no mapping after <<; allowed: an alias of a mapping"),
)
#: A problem in which PyYAML names no more than a character or a kind of token.
_HARMLESS = re.compile(r"(?:[^'\"]|'(?:<[a-z ]*>|\\?.)')*")


def said(err: yaml.MarkedYAMLError) -> str:
    """In one line."""
    problem, context = str(err.problem or ""), str(err.context or "")
    for beginning, words in _WORDS:
        if problem.startswith(beginning) or context.startswith(beginning):
            return words
    return problem if _HARMLESS.fullmatch(problem) else "not as YAML has it; quote the value if it is text"
