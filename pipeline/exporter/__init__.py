"""Prometheus metrics of what no server tells: lag in seconds, dead letters, the last checks, rows, connectors."""
