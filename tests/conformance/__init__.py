"""Alertmanager's real behaviour against any webhook receiver that acts. Start reading at README.md."""
