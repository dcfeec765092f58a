"""Bodies of deliveries and plans, guided by coverage.

python tests/fuzz/atheris_webhook.py -max_total_time=60 CORPUS_DIR
"""

import json
import random

import atheris

with atheris.instrument_imports(include=["homeostat", "responder"]):
    from properties import check_body

from guided import fuzz
from hostile import TIMES, places

_ALERT = {
    "status": "firing",
    "labels": {"alertname": "WorkloadDown", "workload": "shop/web", "remedy": "down"},
    "annotations": {"summary": "It is down."},
    "startsAt": "2026-11-23T10:00:00.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "0123456789abcdef",
}
SEEDS = [
    json.dumps(each).encode()
    for each in (
        {"version": "4", "alerts": [_ALERT, {**_ALERT, "status": "resolved"}]},
        {"version": "4", "alerts": []},
        {"labels": {"alertname": "A\ud83d\ude00\ud800"}},
        _ALERT,
    )
]

VALUES = (None, True, 0, -1.5, 10**400, float("nan"), "", "4", "firing", "\ud800", "0" * 16, [], {}, [[]], *TIMES)


def mutate(body: bytes, most: int, seed: int) -> bytes:
    """Every other time one value of the document: bytes alone seldom leave it one."""
    chance = random.Random(seed)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return bytes(atheris.Mutate(body, most))
    inside = chance.choice([place for place in places(document) if place] or [None])
    if inside is None or chance.random() < 0.5:
        return bytes(atheris.Mutate(body, most))
    key = chance.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
    inside[key] = chance.choice([*VALUES, *places(document)])
    try:
        return json.dumps(document).encode()[:most]
    except (ValueError, RecursionError):  # it is in itself now
        return body


if __name__ == "__main__":
    fuzz(check_body, SEEDS, custom_mutator=mutate)
