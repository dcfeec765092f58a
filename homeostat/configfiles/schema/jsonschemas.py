"""JSON Schema: what structured files must be. Nothing is fetched, and a check costs a bounded number of steps.

Schemas are trusted as rules and commands are: they are files of the owner. The one thing that no bound here stops is a
``pattern`` that takes exponential time (``(a+)+$``): Python's `re` cannot be interrupted, so only the length of the
text that it gets is bounded.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from homeostat.configfiles.schema.base import Violation, bounded
from homeostat.configfiles.schema.jsondata import as_json, positions
from homeostat.configfiles.schema.keywords import violations
from homeostat.configfiles.schema.metered import Meter, OutOfSteps

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

#: Keywords that one check may look at: 20,000 values with some ten each. It takes some seconds.
MOST_STEPS = 400_000
#: More are not put in order.
_MOST_ERRORS = 1000
#: Says nothing new about a value of a wrong type.
_AFTER_TYPE = frozenset({"enum", "const", "format"})
_DANGLING = "cannot be checked: the schema refers to what is not in its file; correct its $ref"
_HEAVY = "costs too much to check against this schema; make the schema simpler"


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A :class:`~homeostat.configfiles.schema.base.Schema`. ``validator``: of a schema that is checked and has only
    references into itself; made by :func:`~homeostat.configfiles.schema.dialects.prepared`.
    """

    validator: "Validator"

    def check(self, data: Mapping[str, object]) -> Sequence[Violation]:
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - see dialects.py

        value = as_json(data)
        validator: Any = self.validator.evolve(format_checker=Meter(MOST_STEPS))
        found: list[Violation] = []
        try:
            found.extend(_found(validator.iter_errors(value)))
        # Not said to be good: nobody has looked at all of it.
        except (OutOfSteps, RecursionError):
            return (Violation((), _HEAVY, "schema"),)
        except Unresolvable:
            return (Violation((), _DANGLING, "schema"),)
        order = positions(value)
        found.sort(key=lambda violation: _position(violation, order))
        return bounded(found)


def _found(errors: "Iterator[ValidationError]") -> list[Violation]:
    # Of one keyword at one place jsonschema makes an error for each missing key, and violations() tells all of them.
    first = {
        (tuple(error.absolute_path), str(error.validator), id(error.schema)): error
        for error in itertools.islice(errors, _MOST_ERRORS)
    }
    found = [each for error in first.values() for each in violations(error)]
    of_wrong_type = {violation.path for violation in found if violation.rule == "type"}
    return [each for each in found if each.rule not in _AFTER_TYPE or each.path not in of_wrong_type]


def _position(violation: Violation, order: Mapping[tuple[str | int, ...], int]) -> int:
    for length in range(len(violation.path), 0, -1):
        if (position := order.get(violation.path[:length])) is not None:
            return position
    return len(order)
