"""Whole operations, with a fault at every position and every process."""
