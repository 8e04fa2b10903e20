"""Talking to one PostgreSQL server: connections, its facts, client programs, diagnosis."""
