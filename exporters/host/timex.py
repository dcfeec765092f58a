"""What the kernel knows of its own clock, as the NTP daemon has told it: adjtimex(2), asked without changing anything.

A chronyd without ``rtcsync`` does not tell the kernel that it is synchronised.
"""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass

_TIME_ERROR = 5
_STATUS_NANO = 0x2000


@dataclass(frozen=True, slots=True)
class KernelClock:
    """``offset_s``: what is still to be corrected; positive: the reference is ahead. ``max_error_s``: a bound."""

    is_synchronized: bool
    offset_s: float
    max_error_s: float


class Timex(ctypes.Structure):
    """``struct timex`` of adjtimex(2), with room for what follows its named fields."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


#: adjtimex itself: fills the structure, returns the clock's state, or -1.
AdjTimex = Callable[[Timex], int]


def system_adjtimex() -> AdjTimex | None:
    """The C library's; None on systems without."""
    if sys.platform != "linux":
        return None
    call = ctypes.CDLL(None).adjtimex
    return lambda timex: int(call(ctypes.byref(timex)))


def ask_kernel(adjtimex: AdjTimex) -> KernelClock | None:
    """None where it may not be asked (a seccomp profile)."""
    timex = Timex()  # modes 0: nothing is set
    state = adjtimex(timex)
    if state < 0:
        return None
    unit_s = 1e-9 if timex.status & _STATUS_NANO else 1e-6
    return KernelClock(
        is_synchronized=state != _TIME_ERROR,
        offset_s=timex.offset * unit_s,
        max_error_s=timex.maxerror * 1e-6,
    )
