"""Metrics for those who have a Prometheus."""
