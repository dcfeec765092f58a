"""What homeostat promises, measured. Each prints a table, and JSON with ``--json``; exit code 1: a bar is not met."""
