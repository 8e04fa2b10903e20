"""Talking to one PostgreSQL server."""
