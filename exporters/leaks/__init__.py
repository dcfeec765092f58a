"""Finds leaks in series of measurements: streaming, pure, a bounded state for each series."""
