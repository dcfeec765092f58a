"""What Grafana shows: dashboards written in Python, generated as JSON that Grafana reads from a folder."""
