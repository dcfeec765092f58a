"""The external watchdog: keeps processes alive, with no need of Prometheus.

It runs beside the application, never inside it, and its children do not need it: when it dies they go
on, and the next guardian adopts them.
"""
