"""Evidence before every hard step: what a restart would wipe out, bounded in time and size, secrets taken out."""

from responder.capture.base import CaptureBounds, CaptureTools
from responder.capture.run import capture

__all__ = ["CaptureBounds", "CaptureTools", "capture"]
