"""``homeostat config``: managed configuration files; a change is validated, atomic, kept as a version, reversible."""

import click

from cli.config_apply import apply
from cli.config_change import accept, restore, rollback, set_, unset
from cli.config_edit import edit
from cli.config_infer import infer
from cli.config_lint import lint
from cli.config_look import diff, get, history, list_
from cli.config_verify import verify

#: In click's form of a block that is not wrapped.
_EXIT_CODES = """\b
Exit codes:
  0  done, or all is good
  1  list: a file is damaged; diff, apply --dry-run: there are differences;
     lint: something is left to mend; verify: a file was changed by others
  2  wrong settings or arguments
  3  not done, the error says why; nothing was changed
  4  verify: a file, or a version that is kept of it, is damaged
"""


@click.group(epilog=_EXIT_CODES)
def config() -> None:
    """Configuration files that cannot be corrupted: look, change, go back.

    NAME is one of the names below config_files in homeostat.yml, or homeostat for homeostat.yml itself.
    """


for command in (list_, get, set_, unset, edit, apply, diff, history, rollback, restore, accept, verify, lint, infer):
    config.add_command(command)
