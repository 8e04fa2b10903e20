"""Servers that are started, shared, stopped and killed."""
