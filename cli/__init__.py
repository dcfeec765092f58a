"""The ``homeostat`` command."""
