"""What was so within a step of a panel: what lasts shorter than a step must not be missed between two points."""

from homeostat import names

#: The one that always fires says nothing.
REAL = f'alertname!="{names.ALERT_DEAD_MAN}"'


def worst(selector: str, *, is_low_worse: bool = False) -> str:
    """The highest value within the step, or the lowest; of what is measured less often than that, the last one."""
    return f"({'min' if is_low_worse else 'max'}_over_time({selector}[$__interval]) or {selector})"


def alerts(by: str, where: str = "") -> str:
    """The number of ``states.FIRING`` that each alert reached within the step."""
    also = f", {where}" if where else ""
    firing, pending = (f'ALERTS{{alertstate="{state}", {REAL}{also}}}' for state in ("firing", "pending"))
    return f"max by ({by}) ({worst(firing)} * 2 or {worst(pending)})"


def under_way(by: str = "", where: str = "") -> str:
    """1 where the responder worked on something."""
    of = f" by ({by})" if by else ""
    return f"clamp_max(max{of} ({worst('homeostat_recovery_active' + (f'{{{where}}}' if where else ''))}), 1)"
