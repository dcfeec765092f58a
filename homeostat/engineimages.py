"""What an engine tells of images that it deleted. Raises ValueError and nothing else, as enginejson.py.

Source: Docker Engine API, ``POST /images/prune``; Podman answers the same.
"""

from dataclasses import dataclass

from homeostat.loosejson import count, required


@dataclass(frozen=True, slots=True)
class PrunedImages:
    """``count``: images and layers that are gone; ``bytes``: what that freed."""

    count: int
    bytes: int


def pruned_images(raw: object) -> PrunedImages:
    """From a prune answer. An image that only lost a name is not counted."""
    top = required(raw, "the answer")
    deleted = top.get("ImagesDeleted")
    rows = deleted if isinstance(deleted, list) else []
    gone = [row for row in rows if isinstance(row, dict) and row.get("Deleted")]
    return PrunedImages(len(gone), count(top, "SpaceReclaimed"))
