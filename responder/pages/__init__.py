"""The status page at ``/``: how all is, what is being done, and the steps that wait for a person's word.

The board collects what is known, the modules named after its parts turn that into a view (pure), templates show it.
"""

from responder.pages.app import add_to
from responder.pages.board import BOARD, Board

__all__ = ["BOARD", "Board", "add_to"]
