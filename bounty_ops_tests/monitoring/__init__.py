"""Monitoring, on real servers."""
