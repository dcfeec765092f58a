"""What the keys of a managed file must be: a JSON Schema for structured files, types of keys for `.env` files.

`load.py` reads one, `infer.py` makes a first one from the file as it is, `crossfile.py` compares a `.env` file with the
compose files that use it. A schema is trusted as commands and rules are: it is a file of the owner.
"""

from homeostat.configfiles.schema.base import Schema, Violation
from homeostat.configfiles.schema.load import load_schema

__all__ = ["Schema", "Violation", "load_schema"]
