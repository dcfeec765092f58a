"""docs/configuration.md is made from the models and current."""

from cli import configdoc


def test_the_committed_page_is_current():
    assert configdoc.page() == configdoc.PAGE.read_text()
