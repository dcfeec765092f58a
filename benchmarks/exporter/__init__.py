"""What the exporter costs, and what the ones that it replaces cost in the same run."""
