"""Dashboards as pictures, drawn from a live Prometheus: for reviewers and the README, where there is no Grafana.

They show what a panel's queries say and where it lies, in its units, colors and words; not all of Grafana's looks.
"""
