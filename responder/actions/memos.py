"""What actions remember in the ledger to put things back: a dataclass, written as plain data and read again."""

from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from homeostat.errors import Permanent
from homeostat.explain import Invalid
from homeostat.structure import received
from responder.actions.base import Memo

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def write_memo(value: "DataclassInstance") -> Memo:
    """Plain data. ``value``: a dataclass of names and numbers; never a secret."""
    return asdict(value)


def read_memo(cls: type[T], memo: Memo) -> T:
    """As it was written, also by a release that wrote more. Raises Permanent when it is not one of these."""
    try:
        return received(cls, dict(memo))
    except Invalid as err:
        raise Permanent(f"the ledger's memo cannot be read: {err}") from err
