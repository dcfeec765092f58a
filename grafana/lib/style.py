"""Units and colors by Grafana's own names."""

from enum import StrEnum


class Unit(StrEnum):
    """What a panel's numbers are. Rates are per second."""

    NONE = "none"
    COUNT = "short"
    SECONDS = "s"
    BYTES = "bytes"
    RATIO = "percentunit"  # of 0 to 1
    BYTES_RATE = "binBps"
    COUNT_RATE = "cps"
    PACKET_RATE = "pps"
    IO_RATE = "iops"
    AGO = "dateTimeFromNow"  # of milliseconds since the epoch


class Color(StrEnum):
    GREEN = "green"
    ORANGE = "orange"
    RED = "red"
    BLUE = "blue"
    PURPLE = "purple"
    GREY = "text"
