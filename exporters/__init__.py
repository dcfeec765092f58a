"""Measures: one process that serves /metrics. It decides nothing."""
