"""What alerting costs Prometheus, and how many messages people get out of one incident."""
