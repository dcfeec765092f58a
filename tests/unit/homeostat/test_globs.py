"""Globs of files that may be deleted: what they mean, and which of them are refused."""

import pytest

from homeostat.globs import below, is_meant, parse_file_glob, starts


def meant(glob, path):
    """Whether the file at ``path``, below the glob's folder, is met by walking there."""
    states = starts(parse_file_glob(glob).rest)
    *folders, name = path.split("/")
    for folder in folders:
        states = below(states, folder)
    return is_meant(states, name)


MEANT = [
    ("/var/log/shop/*.log", "a.log", True),
    ("/var/log/shop/*.log", "a.log.1", False),
    ("/var/log/shop/*.log", "b/a.log", False),
    ("/var/log/shop/a.log", "a.log", True),
    ("/var/log/shop/[ab]?.log", "a1.log", True),
    ("/var/log/shop/[!ab].log", "a.log", False),
    ("/var/log/shop/*", ".hidden", False),
    ("/var/log/shop/.*", ".hidden", True),
    ("/var/log/shop/*/x.log", "a/x.log", True),
    ("/var/log/shop/*/x.log", "x.log", False),
    ("/var/log/shop/*/x.log", ".git/x.log", False),
    ("/var/log/shop/**/x.log", "x.log", True),
    ("/var/log/shop/**/x.log", "a/b/c/x.log", True),
    ("/var/log/shop/**/x.log", "a/.git/x.log", False),
    ("/var/log/shop/**/a/**/x.log", "b/a/c/x.log", True),
    ("/var/log/shop/**/a/**/x.log", "b/c/x.log", False),
    ("/var/log/shop/*.LOG", "a.log", False),
    ("/var/log/shop/a[", "a[", True),
]


@pytest.mark.parametrize(("glob", "path", "expected"), MEANT)
def test_a_glob_means_names_as_a_shell_does(glob, path, expected):
    assert meant(glob, path) is expected


def test_the_folder_is_what_is_spelt_out():
    assert parse_file_glob("/var/log/shop-*/old/x.log").root == "/var/log"
    assert parse_file_glob("/var/log/x.log").root == "/var/log"


REFUSED = {
    "relative": "logs/*.log",
    "of a home": "~/logs/*.log",
    "all": "/*",
    "all below": "/**/*.log",
    "a system folder": "/var/*",
    "a file in a system folder": "/etc/passwd",
    "a system folder by wildcard": "/v*/log/x",
    "any folder of a system folder": "/home/*/x.log",
    "parent": "/var/log/shop/../../lib/*",
    "itself": "/var/log/./shop/*",
    "empty part": "/var//log/*",
    "a folder": "/var/log/shop/",
    "all folders": "/var/log/shop/**",
    "nothing": "/",
}


@pytest.mark.parametrize("glob", REFUSED.values(), ids=REFUSED.keys())
def test_what_reaches_too_far_is_refused(glob):
    with pytest.raises(ValueError, match=r"^must .*, for example /var/log/shop/"):
        parse_file_glob(glob)
