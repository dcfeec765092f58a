"""``homeostat config infer``: a first schema from a file as it is, to be read and corrected."""

from pathlib import Path

import click

from cli.common import SETTINGS, console
from cli.config_common import told
from cli.config_targets import FORMAT, known, target
from homeostat import files
from homeostat.configfiles import text
from homeostat.configfiles.errors import FileRefused, NotParsed
from homeostat.configfiles.formats.table import FORMATS
from homeostat.errors import Permanent

#: It holds no values: anybody may read it.
_MODE = 0o644


@click.command()
@SETTINGS
@FORMAT
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Else it is printed.")
@click.option("--force", is_flag=True, help="Replace the file that is there.")
@click.argument("file", metavar="NAME|PATH")
def infer(path: Path, format_: str | None, output: Path | None, force: bool, file: str) -> None:
    """Make a first schema of a file.

    From what is in it now: types, what is required, which keys are secrets; no values. Read it and correct what it
    guesses, then name it as the file's schema in homeostat.yml.
    """
    from homeostat.configfiles.schema.infer import infer as first_schema  # noqa: PLC0415 - nobody else needs it

    with told():
        each = target(file, known(path), format_)
        if each.format_name not in FORMATS:
            raise Permanent(f"{each.path}: a {each.format_name} file has no keys, so it has no schema")
        try:
            data = FORMATS[each.format_name].read(text.decode(each.found.raw).content).data
        except NotParsed as err:
            raise FileRefused(f"{err.of(each.path)}; mend it first") from None
        schema = first_schema(data, each.format_name)
        if output is None:
            click.echo(schema, nl=False)
            return
        if output.exists() and not force:
            raise Permanent(f"{output}: is there already; --force replaces it")
        files.write_atomic(output, schema.encode(), _MODE)
    console.print(f"{output}: a first schema; read it and correct what it guesses", style="green", markup=False)
