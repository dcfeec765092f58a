"""How well leaks are found: labelled traces, baselines beside it, figures. ``python -m benchmarks.leaks``."""
