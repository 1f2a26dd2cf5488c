"""What a running node shows of itself: log lines, metrics, and whether it is well."""
